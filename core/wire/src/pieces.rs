//! Cuts JSON text into the members or items of its outermost value, so that a long value need not
//! be a tree as a whole.
//!
//! It looks only at brackets and quotes. A piece that is not JSON fails when it is read.

use alloc::vec::Vec;

use nacre_layers::error::{Code, Error, Result};

/// The members of an object: the texts of names, quotes included, and of values.
///
/// # Errors
/// `invalid-json` if the text is not exactly one object.
pub(super) fn members(text: &[u8]) -> Result<Vec<(&[u8], &[u8])>> {
    let mut cutter = Cutter { text, at: 0 };
    let mut members = Vec::new();
    cutter.each(b'{', b'}', |cutter| {
        let name = cutter.piece()?;
        cutter.expect(b':')?;
        members.push((name, cutter.piece()?));
        Ok(())
    })?;
    Ok(members)
}

/// The items of an array.
///
/// # Errors
/// `invalid-json` if the text is not exactly one array.
pub(super) fn items(text: &[u8]) -> Result<Vec<&[u8]>> {
    let mut cutter = Cutter { text, at: 0 };
    let mut items = Vec::new();
    cutter.each(b'[', b']', |cutter| {
        items.push(cutter.piece()?);
        Ok(())
    })?;
    Ok(items)
}

struct Cutter<'t> {
    text: &'t [u8],
    at: usize,
}

impl<'t> Cutter<'t> {
    /// Takes the content of the outermost brackets, which must end the text.
    fn each(
        &mut self,
        open: u8,
        close: u8,
        mut take: impl FnMut(&mut Cutter<'t>) -> Result<()>,
    ) -> Result<()> {
        self.expect(open)?;
        if self.peek() == Some(close) {
            self.at += 1;
        } else {
            loop {
                take(self)?;
                let next = self.peek();
                self.at += 1;
                match next {
                    Some(b',') => {}
                    Some(next) if next == close => break,
                    _ => return Err(not_json()),
                }
            }
        }
        if self.peek().is_some() { Err(not_json()) } else { Ok(()) }
    }

    /// One value, or any text in its place.
    fn piece(&mut self) -> Result<&'t [u8]> {
        let first = self.peek();
        let start = self.at;
        match first {
            Some(b'"') => self.string()?,
            Some(b'{' | b'[') => {
                let mut depth = 0usize;
                loop {
                    match self.text.get(self.at) {
                        Some(b'"') => {
                            self.string()?;
                            continue;
                        }
                        Some(b'{' | b'[') => depth += 1,
                        Some(b'}' | b']') => depth -= 1,
                        Some(_) => {}
                        None => return Err(not_json()),
                    }
                    self.at += 1;
                    if depth == 0 {
                        break;
                    }
                }
            }
            _ => {
                let is_part = |byte: &u8| byte.is_ascii_alphanumeric() || b"+-.".contains(byte);
                while self.text.get(self.at).is_some_and(is_part) {
                    self.at += 1;
                }
            }
        }
        match self.text.get(start..self.at) {
            Some(piece) if !piece.is_empty() => Ok(piece),
            _ => Err(not_json()),
        }
    }

    /// Skips a string, including both quotes.
    fn string(&mut self) -> Result<()> {
        self.at += 1;
        loop {
            match self.text.get(self.at) {
                Some(b'"') => break,
                Some(b'\\') => self.at += 2,
                Some(_) => self.at += 1,
                None => return Err(not_json()),
            }
        }
        self.at += 1;
        Ok(())
    }

    fn expect(&mut self, byte: u8) -> Result<()> {
        if self.peek() != Some(byte) {
            return Err(not_json());
        }
        self.at += 1;
        Ok(())
    }

    /// The next byte that is not a space.
    fn peek(&mut self) -> Option<u8> {
        while matches!(self.text.get(self.at), Some(b' ' | b'\t' | b'\n' | b'\r')) {
            self.at += 1;
        }
        self.text.get(self.at).copied()
    }
}

fn not_json() -> Error {
    Error::new(Code::InvalidJson, "this is not JSON of the form that is wanted here")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pieces_are_cut_at_the_outermost_level_alone() {
        let text = br#" {"a" : [1,{"b":"]}"}] , "c\"":-1.5e+3,"d":null} "#;
        let members = members(text).unwrap();
        let texts: [(&[u8], &[u8]); 3] =
            [(br#""a""#, br#"[1,{"b":"]}"}]"#), (br#""c\"""#, b"-1.5e+3"), (br#""d""#, b"null")];
        assert_eq!(members, texts);
        assert_eq!(items(b"[]").unwrap(), [b""; 0]);
        assert_eq!(items(b"[ {} ,\"x\\\\\" ]").unwrap(), [&b"{}"[..], b"\"x\\\\\""]);
    }

    #[test]
    fn what_does_not_hold_together_is_refused() {
        for text in [
            "",
            "{",
            "}",
            "[]",
            "{}x",
            "{\"a\"}",
            "{\"a\":}",
            "{\"a\":1,}",
            "{\"a\":[}",
            "{\"a\":\"",
            "{\"a\":1 2}",
            "{\"a\\",
            "{,}",
        ] {
            assert!(members(text.as_bytes()).is_err(), "{text}");
        }
        assert!(items(b"{}").is_err() && items(b"[1,,2]").is_err() && items(b"[1]]").is_err());
    }
}
