//! An import: collects lines as they arrive, and decides them in blocks.

use nacre_core::{
    error::{Code, Error, Result},
    hash::Hash,
    limits,
    number::Number,
    op::{Administration, Caller, Idempotency, Import, ImportLine, ImportMode, Request},
    plan::{Reply, Warning},
    wire::{
        self, Answer,
        sheets::{SheetLine, sheet_line},
    },
};

use super::key::Key;

/// A running import. Each block is one commit: 500 lines, or fewer if they would exceed 4 MiB, or
/// once they have as many values as a body may have.
///
/// ```text
/// importer.push(bytes);
/// while let Some(request) = importer.next(ended)? { decide, apply … importer.stored(&reply)? }
/// ```
/// If a block is refused, [`Importer::failed`] counts the line within the whole import. Earlier
/// blocks stay.
#[derive(Debug)]
pub struct Importer {
    caller: Caller,
    id: String,
    mode: ImportMode,
    key: Option<Key>,
    /// Bytes after the last complete line.
    rest: Vec<u8>,
    block: Block,
    /// Lines so far, including blank ones.
    lines: usize,
    blocks: usize,
    /// The line numbers of the last decided block, within the whole import.
    places: Vec<usize>,
    /// Whether the last request is one line that is no context.
    is_sheet: bool,
    created: usize,
    replaced: usize,
    warnings: Vec<Warning>,
}

#[derive(Debug, Default)]
struct Block {
    lines: Vec<Result<ImportLine>>,
    places: Vec<usize>,
    hashes: Vec<u8>,
    bytes: usize,
    values: usize,
}

impl Importer {
    pub(super) fn new(caller: Caller, id: String, mode: ImportMode, key: Option<Key>) -> Importer {
        Importer {
            caller,
            id,
            mode,
            key,
            rest: Vec::new(),
            block: Block::default(),
            lines: 0,
            blocks: 0,
            places: Vec::new(),
            is_sheet: false,
            created: 0,
            replaced: 0,
            warnings: Vec::new(),
        }
    }

    /// Takes bytes that have arrived.
    pub fn push(&mut self, bytes: &[u8]) {
        self.rest.extend_from_slice(bytes);
    }

    /// The next block to decide; `None` if more bytes are needed, or if the import is finished.
    ///
    /// # Errors
    /// `too-large` for a line that is longer than a block may be.
    pub fn next(&mut self, ended: bool) -> Result<Option<Request>> {
        let mut taken = 0;
        let mut full = false;
        while let Some(line) =
            next_line(self.rest.get(taken..).unwrap_or_default(), ended, self.lines)?
        {
            full =
                !self.block.lines.is_empty() && self.block.bytes + line.len() > limits::BATCH_BYTES;
            if full {
                break;
            }
            let sheet = sheet_line(line).map_err(|error| in_line(self.lines, error))?;
            if sheet.is_some() && !self.block.lines.is_empty() {
                full = true;
                break;
            }
            taken += line.len() + 1;
            match sheet {
                Some(SheetLine::Promotion) => {
                    self.lines += 1;
                    self.pass_over();
                    continue;
                }
                Some(SheetLine::Template(put)) => {
                    (self.places, self.is_sheet) = (vec![self.lines], true);
                    self.lines += 1;
                    self.blocks += 1;
                    self.rest.drain(..taken.min(self.rest.len()));
                    let (caller, id) = (self.caller.clone(), Some(self.id.clone()));
                    return Ok(Some(Request {
                        caller,
                        command: put.into(),
                        idempotency: None,
                        id,
                    }));
                }
                None => {}
            }
            self.block.take(line, self.lines, self.key.is_some());
            self.lines += 1;
            full = self.block.lines.len() == limits::BATCH_OPERATIONS
                || self.block.values >= limits::VALUES;
            if full {
                break;
            }
        }
        self.rest.drain(..taken.min(self.rest.len()));
        // An import without lines is decided too, to check whether the caller may import.
        let first = self.blocks == 0;
        if !(full || ended) || (self.block.lines.is_empty() && !first) {
            return Ok(None);
        }
        let Block { lines, places, hashes, .. } = core::mem::take(&mut self.block);
        (self.places, self.is_sheet) = (places, false);
        let idempotency = self.key.as_ref().map(|key| Idempotency {
            key: format!("{}#{}", key.text, self.blocks),
            request: key.bind(Hash::of(&hashes)),
        });
        self.blocks += 1;
        Ok(Some(Request {
            caller: self.caller.clone(),
            command: Administration::Import(Import { mode: self.mode, lines }).into(),
            idempotency,
            id: Some(self.id.clone()),
        }))
    }

    /// Counts the contexts of a stored block.
    ///
    /// # Errors
    /// `internal` when the reply is another operation's; `store-unavailable` when the stored
    /// answer to an earlier request cannot be read.
    pub fn stored(&mut self, reply: &Reply) -> Result<()> {
        let (created, replaced) = match reply {
            Reply::Imported { created, replaced, warnings } => {
                let room = limits::WARNINGS.saturating_sub(self.warnings.len());
                self.warnings.extend(warnings.iter().take(room).cloned());
                (*created, *replaced)
            }
            Reply::Replayed(replayed) => {
                let body = wire::read_json(&Answer::from_bytes(&replayed.answer)?.body)?;
                let count = |name: &str| match body.as_object()?.get(name)?.as_number()? {
                    Number::Unsigned(count) => usize::try_from(count).ok(),
                    _ => None,
                };
                match (count("created"), count("replaced")) {
                    (Some(created), Some(replaced)) => (created, replaced),
                    _ => return Err(Error::bug("the stored answer does not belong to an import")),
                }
            }
            // The same template again is no change.
            Reply::Template(_) => return Ok(()),
            _ => return Err(Error::bug("the reply does not belong to an import")),
        };
        self.created += created;
        self.replaced += replaced;
        Ok(())
    }

    /// Notes a promotion that is not brought back.
    fn pass_over(&mut self) {
        if self.warnings.len() < limits::WARNINGS {
            let detail = "a promotion belongs to the store that it was made in; it was left out";
            let (code, pointer) = ("history-left-out", "/promotion".into());
            self.warnings.push(Warning { code, pointer, detail: detail.into() });
        }
    }

    /// The error of a block, with the line number within the whole import.
    pub fn failed(&self, error: Error) -> Error {
        let index = if self.is_sheet { Some(0) } else { error.operation() };
        match index.and_then(|index| self.places.get(index)) {
            Some(line) => in_line(*line, error),
            None => error,
        }
    }

    /// The reply to the whole import.
    pub fn finish(&self) -> Reply {
        let Importer { created, replaced, warnings, .. } = self;
        Reply::Imported { created: *created, replaced: *replaced, warnings: warnings.clone() }
    }
}

impl Block {
    fn take(&mut self, line: &[u8], place: usize, hash: bool) {
        if line.trim_ascii().is_empty() {
            return;
        }
        if hash {
            self.hashes.extend_from_slice(Hash::of(line).as_bytes());
        }
        self.bytes += line.len();
        self.places.push(place);
        let line = wire::import::line(line);
        self.values += line.as_ref().map_or(0, ImportLine::values);
        self.lines.push(line);
    }
}

/// Says which line, from 0, an error is about. A person counts from 1.
fn in_line(line: usize, error: Error) -> Error {
    error.reworded(|detail| format!("line {}: {detail}", line + 1)).failed_operation(line)
}

/// The first line of `rest`, without its line feed; `None` if its end has not arrived.
fn next_line(rest: &[u8], ended: bool, place: usize) -> Result<Option<&[u8]>> {
    let line = match rest.iter().position(|byte| *byte == b'\n') {
        Some(end) => rest.get(..end),
        None if ended && !rest.is_empty() => Some(rest),
        None => None,
    };
    if line.unwrap_or(rest).len() > limits::BATCH_BYTES {
        let error = Error::new(Code::TooLarge, "a line of an import must be at most 4 MiB")
            .limit(limits::BATCH_BYTES as u64);
        return Err(in_line(place, error));
    }
    Ok(line)
}

#[cfg(test)]
mod tests {
    use nacre_core::{access::Scopes, id::User, op::Command};

    use super::*;

    fn importer() -> Importer {
        let alice = User::parse("alice").unwrap();
        let caller = Caller { user: alice.clone(), owner: alice, scopes: Scopes::UNSTATED };
        Importer::new(caller, "r".into(), ImportMode::Create, None)
    }

    fn sizes(importer: &mut Importer, ended: bool) -> Vec<usize> {
        let mut sizes = Vec::new();
        while let Some(request) = importer.next(ended).unwrap() {
            let Command::Administration(Administration::Import(import)) = request.command else {
                panic!("an import")
            };
            sizes.push(import.lines.len());
        }
        sizes
    }

    #[test]
    fn a_block_is_five_hundred_lines_wherever_the_pieces_end() {
        let text = "{\"level\":\"project\",\"id\":\"p\",\"data\":{}}\n".repeat(1001);
        for piece in [1, 7, 4096, text.len()] {
            let mut importer = importer();
            let mut blocks = Vec::new();
            for bytes in text.as_bytes().chunks(piece) {
                importer.push(bytes);
                blocks.extend(sizes(&mut importer, false));
            }
            blocks.extend(sizes(&mut importer, true));
            assert_eq!(blocks, [500, 500, 1], "{piece}");
        }
    }

    #[test]
    fn a_block_ends_early_before_it_grows_too_large() {
        let line = format!("{}\n", "x".repeat(3 << 20));
        let mut importer = importer();
        importer.push(line.repeat(2).as_bytes());
        assert_eq!(sizes(&mut importer, false), [1]);
        assert_eq!(sizes(&mut importer, true), [1]);
        assert!(sizes(&mut importer, true).is_empty());
    }

    #[test]
    fn a_block_ends_early_before_it_has_too_many_values() {
        let numbers = "1,".repeat(99_999);
        let line =
            format!("{{\"level\":\"project\",\"id\":\"p\",\"data\":{{\"l\":[{numbers}1]}}}}\n");
        let mut importer = importer();
        importer.push(line.repeat(8).as_bytes());
        assert_eq!(sizes(&mut importer, true), [6, 2]);
    }

    #[test]
    fn a_line_without_end_is_refused_before_it_fills_the_memory() {
        let mut importer = importer();
        importer.push(b"{}\n");
        importer.push(&vec![b' '; limits::BATCH_BYTES]);
        assert!(importer.next(false).unwrap().is_none());
        importer.push(b" ");
        let error = importer.next(false).unwrap_err();
        assert_eq!((error.code(), error.operation()), (Code::TooLarge, Some(1)));
    }

    #[test]
    fn lines_are_counted_in_the_whole_blank_ones_too() {
        let mut importer = importer();
        importer.push("\n \n{}\n".repeat(501).as_bytes());
        assert_eq!(sizes(&mut importer, true), [500, 1]);
        let failed = importer.failed(Error::not_found().failed_operation(0));
        assert_eq!(failed.operation(), Some(1502));
        assert_eq!(importer.failed(Error::not_found()).operation(), None);
    }
}
