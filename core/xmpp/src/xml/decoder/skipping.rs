//! A stanza that broke a limit: its end is looked for, its content is thrown away.

use minidom::Element;
use rxml::Parse;
use rxml::error::EndOrError;

use super::naming::shell_of_unfinished;
use super::scanner::{END_TAG, Scanner};
use super::{DecodeError, Decoder, Frame, InnerLimit};

/// A stanza whose content is being thrown away.
#[derive(Debug)]
pub(super) struct Skipping {
    pub(super) shell: Element,
    pub(super) limit: InnerLimit,
}

impl Decoder {
    /// Drops the current stanza down to its shell. Fatal where no stanza is open.
    pub(super) fn skip(&mut self, limit: InnerLimit) -> Result<(), DecodeError> {
        if self.skipping.is_some() {
            return Ok(());
        }
        let too_large = DecodeError::TooLarge {
            max_bytes: self.limits.stanza_bytes,
        };
        let head = self.head.take();
        let shell = if self.building.is_empty() {
            let head = head.ok_or(too_large)?;
            if self.depth < 2 {
                return Err(too_large);
            }
            self.shell_memory_bytes = self.stanza_memory_bytes;
            shell_of_unfinished(head)
        } else {
            let mut outermost = self.building.swap_remove(0);
            outermost.take_nodes();
            outermost
        };
        self.building = Vec::new();
        self.scopes.truncate(1);
        self.skipping = Some(Skipping { shell, limit });
        Ok(())
    }

    /// The parser stands behind a start tag of a stanza that is being skipped. An element without content ends here
    /// and now; what another one holds is for the scanner.
    pub(super) fn skip_content(&mut self) -> Result<Option<Frame>, DecodeError> {
        match self.parser.parse(&mut &b""[..], false) {
            Ok(Some(event)) => self.handle_event(event),
            Ok(None) => Ok(None),
            Err(EndOrError::NeedMoreData) => {
                self.scanner = Some(Scanner::new());
                Ok(None)
            }
            Err(EndOrError::Error(error)) => Err(error.into()),
        }
    }

    /// The scanner has read these bytes, which the parser has to see.
    pub(super) fn skip_end_tag_begin(&mut self) -> Result<(), DecodeError> {
        match self.parser.parse(&mut &END_TAG[..], false) {
            Ok(_) | Err(EndOrError::NeedMoreData) => Ok(()),
            Err(EndOrError::Error(error)) => Err(error.into()),
        }
    }
}
