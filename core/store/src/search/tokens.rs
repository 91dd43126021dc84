//! Words for an index that knows only words between spaces.
//!
//! Chinese, Japanese, Thai and others write without spaces, and Korean puts particles onto its words. Of a run of
//! such characters every pair of neighbours becomes a word, and the last character one more: `東京都` is indexed
//! as `東京 京都 都`. A search for `京都` finds it, as the word `京都`; one for `都`, as a word that begins so.

/// Text as it goes into the index.
pub(crate) fn indexed(text: &str) -> String {
    let mut words = String::with_capacity(text.len() + text.len() / 2);
    for run in Runs::of(text) {
        match run {
            Run::Other(other) => words.push_str(other),
            Run::Spaceless(characters) => {
                words.push(' ');
                pairs(characters, &mut words);
                words.extend(characters.chars().next_back());
                words.push(' ');
            }
        }
    }
    words
}

/// What the user typed, as a query of FTS5: every part between spaces must occur, its last word may go
/// on. `None` if there is nothing to look for.
pub(crate) fn query(typed: &str) -> Option<String> {
    let mut query = String::new();
    for part in typed.split_whitespace() {
        // Otherwise a phrase without any word.
        if !part.chars().any(char::is_alphanumeric) {
            continue;
        }
        if !query.is_empty() {
            query.push_str(" AND ");
        }
        query.push_str(&phrase(part));
    }
    (!query.is_empty()).then_some(query)
}

/// One part of a query, as consecutive words.
fn phrase(part: &str) -> String {
    let mut words = String::new();
    let mut goes_on = true;
    let mut runs = Runs::of(part).peekable();
    while let Some(run) = runs.next() {
        match run {
            Run::Other(other) => {
                words.extend(other.chars().map(|c| if c == '"' { ' ' } else { c }));
                goes_on = true;
            }
            Run::Spaceless(characters) => {
                words.push(' ');
                pairs(characters, &mut words);
                // Where the run ends, its last character follows as a word; what the user typed last
                // need not be the end.
                let single = characters.chars().nth(1).is_none();
                goes_on = single;
                if single || runs.peek().is_some() {
                    words.extend(characters.chars().next_back());
                }
                words.push(' ');
            }
        }
    }
    let star = if goes_on { " *" } else { "" };
    format!("\"{}\"{star}", words.trim())
}

/// Every two neighbours, with a space after each pair.
fn pairs(characters: &str, words: &mut String) {
    for (first, second) in characters.chars().zip(characters.chars().skip(1)) {
        words.push(first);
        words.push(second);
        words.push(' ');
    }
}

enum Run<'t> {
    Spaceless(&'t str),
    Other(&'t str),
}

/// Splits a text where the kind of character changes.
struct Runs<'t>(&'t str);

impl<'t> Runs<'t> {
    const fn of(text: &'t str) -> Self {
        Self(text)
    }
}

impl<'t> Iterator for Runs<'t> {
    type Item = Run<'t>;

    fn next(&mut self) -> Option<Run<'t>> {
        let kind = is_spaceless(self.0.chars().next()?);
        let end = self
            .0
            .find(|c| is_spaceless(c) != kind)
            .unwrap_or(self.0.len());
        let (run, rest) = self.0.split_at_checked(end)?;
        self.0 = rest;
        Some(match kind {
            true => Run::Spaceless(run),
            false => Run::Other(run),
        })
    }
}

/// Whether words of this character's script are not told apart by spaces, or not well. By blocks of Unicode.
const fn is_spaceless(c: char) -> bool {
    matches!(c,
        '\u{0E00}'..='\u{0EFF}'       // Thai, Lao
        | '\u{1000}'..='\u{109F}'     // Myanmar
        | '\u{1100}'..='\u{11FF}'     // Hangul Jamo
        | '\u{1780}'..='\u{17FF}'     // Khmer
        | '\u{3005}'..='\u{3007}'     // 々, 〆, 〇
        | '\u{3040}'..='\u{30FF}'     // Hiragana, Katakana
        | '\u{3100}'..='\u{31FF}'     // Bopomofo and extensions
        | '\u{3400}'..='\u{4DBF}'     // CJK extension A
        | '\u{4E00}'..='\u{9FFF}'     // CJK
        | '\u{AC00}'..='\u{D7AF}'     // Hangul syllables
        | '\u{F900}'..='\u{FAFF}'     // CJK compatibility
        | '\u{FF66}'..='\u{FF9D}'     // Halfwidth Katakana
        | '\u{20000}'..='\u{323AF}'   // CJK extensions B to H
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn runs_without_spaces_become_pairs_and_the_rest_stays() {
        assert_eq!(indexed("Hello, world"), "Hello, world");
        assert_eq!(indexed("東京都").trim(), "東京 京都 都");
        assert_eq!(indexed("I ♥ 東京!"), "I ♥  東京 京 !");
        assert_eq!(indexed("猫").trim(), "猫");
        assert_eq!(indexed(""), "");
    }

    #[test]
    fn a_query_asks_for_every_part() {
        let query = |typed| query(typed).unwrap_or_default();
        assert_eq!(query("hello wor"), "\"hello\" * AND \"wor\" *");
        assert_eq!(query("京都"), "\"京都\"");
        assert_eq!(query("東京都"), "\"東京 京都\"");
        assert_eq!(query("都"), "\"都\" *");
        assert_eq!(query("東京tow"), "\"東京 京 tow\" *");
        assert_eq!(query("  "), "");
        assert_eq!(query("!!! ?"), "");
    }

    #[test]
    fn no_query_can_break_out_of_its_quotes() {
        assert_eq!(
            query("a\"b OR \"x").unwrap(),
            "\"a b\" * AND \"OR\" * AND \"x\" *"
        );
    }
}
