//! A long archive, from a file: a stanza a line, oldest first.

use std::collections::HashMap;
use std::io;
use std::path::Path;

use eft_xmpp::Element;
use eft_xmpp::ns;

use super::peer::lost;
use super::state::Page;

/// See the module.
#[derive(Debug, Default)]
pub(crate) struct Archive {
    /// Stanzas with their ids; `{query}` stands for the id of the query.
    stanzas: Vec<(String, String)>,
    places: HashMap<String, usize>,
}

impl Archive {
    /// Reads a file. The id of a line is what stands behind its first tab.
    pub(crate) fn read(path: &Path) -> io::Result<Self> {
        let text = std::fs::read_to_string(path)?;
        let mut archive = Self::default();
        for line in text.lines() {
            let (stanza, id) = line
                .split_once('\t')
                .ok_or_else(|| lost("a line without an id"))?;
            archive.places.insert(id.to_owned(), archive.stanzas.len());
            archive.stanzas.push((id.to_owned(), stanza.to_owned()));
        }
        Ok(archive)
    }

    /// What a query asks for (XEP-0313 with XEP-0059). `None`: it names a message that is not there.
    pub(crate) fn page(&self, query: &Element) -> Option<Page> {
        let set = query.get_child("set", ns::RSM);
        let child = |name| set.and_then(|set| set.get_child(name, ns::RSM));
        let most = child("max")
            .and_then(|max| max.text().parse().ok())
            .unwrap_or(100);
        let (begin, end) = if child("before").is_some() {
            // Only the newest are ever asked for in this direction.
            (self.stanzas.len().saturating_sub(most), self.stanzas.len())
        } else {
            let begin = match child("after") {
                Some(after) => self.places.get(&after.text())? + 1,
                None => 0,
            };
            (begin, self.stanzas.len().min(begin.saturating_add(most)))
        };
        let part = self.stanzas.get(begin..end).unwrap_or_default();
        Some(Page {
            stanzas: part.iter().map(|(_, stanza)| stanza.clone()).collect(),
            last: part.last().map(|(id, _)| id.clone()),
            is_complete: end == self.stanzas.len(),
            ..Page::default()
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn query(set: &str) -> Element {
        format!("<query xmlns='urn:xmpp:mam:2'><set xmlns='http://jabber.org/protocol/rsm'>{set}</set></query>")
            .parse()
            .unwrap()
    }

    #[test]
    fn pages_follow_each_other_and_the_last_says_so() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("archive");
        std::fs::write(&path, "<a/>\t1\n<b/>\t2\n<c/>\t3\n").unwrap();
        let archive = Archive::read(&path).unwrap();
        let first = archive.page(&query("<max>2</max>")).unwrap();
        assert_eq!(first.stanzas, ["<a/>", "<b/>"]);
        assert_eq!(
            (first.last.as_deref(), first.is_complete),
            (Some("2"), false)
        );
        let second = archive
            .page(&query("<max>2</max><after>2</after>"))
            .unwrap();
        assert_eq!((second.stanzas.len(), second.is_complete), (1, true));
        let newest = archive.page(&query("<max>1</max><before/>")).unwrap();
        assert_eq!(newest.stanzas, ["<c/>"]);
        assert!(archive.page(&query("<after>4</after>")).is_none());
        std::fs::write(&path, "<a/>\n").unwrap();
        assert!(Archive::read(&path).is_err());
    }
}
