//! Reads JSON strictly, and writes it canonically (RFC 8785).
//!
//! Reading refuses input that two readers could understand differently: duplicate members, lone
//! surrogates, invalid UTF-8, integers that would lose digits, anything after the value. The lexer
//! is `hifijson`; nothing recurses on input.

use alloc::{format, string::String, vec::Vec};

use hifijson::{
    Read as _, SliceLexer, escape,
    num::LexWrite as _,
    str::{self as string, LexAlloc as _},
    token::Lex as _,
};

use crate::{
    error::{Code, Error, Result},
    number::Number,
    value::{Builder, Value},
};

/// Reads one value that nests at most `max_depth` arrays and objects.
///
/// ```
/// use nacre_layers::{json, limits};
///
/// let value = json::read(br#"{ "b": 1, "a": [true, null] }"#, limits::DEPTH)?;
/// assert_eq!(json::write(&value), br#"{"a":[true,null],"b":1}"#);
///
/// let twice = json::read(br#"{"a":1,"a":2}"#, limits::DEPTH).unwrap_err();
/// assert_eq!(twice.code().as_str(), "invalid-json");
/// # Ok::<(), nacre_layers::error::Error>(())
/// ```
///
/// # Errors
/// `invalid-json` with the byte offset, `too-deep`, or `too-large` for more than
/// [`limits::VALUES`](crate::limits::VALUES) values. No detail quotes the input.
pub fn read(bytes: &[u8], max_depth: usize) -> Result<Value> {
    let mut reader = Reader {
        lexer: SliceLexer::new(bytes),
        bytes: bytes.len(),
        builder: Builder::new(max_depth),
    };
    let value = reader.value()?;
    match reader.lexer.ws_peek() {
        None => Ok(value),
        Some(_) => Err(reader.refuse("expected the end of the input after the value")),
    }
}

/// The canonical text: members sorted, no spaces, one form for every string and number.
///
/// ```
/// use nacre_layers::json;
///
/// let value = json::read(br#"{"b":1.0,"a":"\u00e9"}"#, 64)?;
/// assert_eq!(json::write(&value), r#"{"a":"é","b":1}"#.as_bytes());
/// # Ok::<(), nacre_layers::error::Error>(())
/// ```
pub fn write(value: &Value) -> Vec<u8> {
    let mut out = Vec::new();
    write_to(value, &mut out);
    out
}

/// Appends the canonical text.
pub fn write_to(value: &Value, out: &mut Vec<u8>) {
    match value {
        Value::Null => out.extend_from_slice(b"null"),
        Value::Bool(true) => out.extend_from_slice(b"true"),
        Value::Bool(false) => out.extend_from_slice(b"false"),
        Value::Number(number) => number.write(out),
        Value::String(text) => write_string(text, out),
        Value::Array(items) => {
            out.push(b'[');
            for (i, item) in items.iter().enumerate() {
                if i > 0 {
                    out.push(b',');
                }
                write_to(item, out);
            }
            out.push(b']');
        }
        Value::Object(object) => {
            out.push(b'{');
            for (i, (name, value)) in object.iter().enumerate() {
                if i > 0 {
                    out.push(b',');
                }
                write_string(name, out);
                out.push(b':');
                write_to(value, out);
            }
            out.push(b'}');
        }
    }
}

/// Appends a string with the escapes of RFC 8785 §3.2.2.2 and no others.
pub fn write_string(text: &str, out: &mut Vec<u8>) {
    out.push(b'"');
    for run in text.as_bytes().split_inclusive(|byte| escaped_length(*byte) > 1) {
        match run.split_last() {
            Some((last, plain)) if escaped_length(*last) > 1 => {
                out.extend_from_slice(plain);
                write_escape(*last, out);
            }
            _ => out.extend_from_slice(run),
        }
    }
    out.push(b'"');
}

/// The error for more than `limit` nested arrays and objects.
pub(crate) fn too_deep(limit: usize) -> Error {
    Error::new(Code::TooDeep, "arrays and objects are nested too deeply").limit(limit as u64)
}

/// The length of the canonical text in bytes, without writing it.
///
/// ```
/// use nacre_layers::json;
///
/// let value = json::read(b"[1, 2, 3]", 64)?;
/// assert_eq!(json::length(&value), "[1,2,3]".len());
/// # Ok::<(), nacre_layers::error::Error>(())
/// ```
pub fn length(value: &Value) -> usize {
    match value {
        Value::Null | Value::Bool(true) => 4,
        Value::Bool(false) => 5,
        Value::Number(number) => {
            let mut text = Vec::with_capacity(24);
            number.write(&mut text);
            text.len()
        }
        Value::String(text) => string_length(text),
        // Two brackets and a comma between neighbours.
        Value::Array(items) => 1 + items.len().max(1) + items.iter().map(length).sum::<usize>(),
        Value::Object(object) => {
            let members =
                object.iter().map(|(name, value)| string_length(name) + 1 + length(value));
            1 + object.len().max(1) + members.sum::<usize>()
        }
    }
}

fn string_length(text: &str) -> usize {
    2 + text.bytes().map(escaped_length).sum::<usize>()
}

fn escaped_length(byte: u8) -> usize {
    match byte {
        b'"' | b'\\' | b'\x08' | b'\t' | b'\n' | b'\x0c' | b'\r' => 2,
        ..0x20 => 6,
        _ => 1,
    }
}

fn write_escape(byte: u8, out: &mut Vec<u8>) {
    let letter = match byte {
        b'\x08' => b'b',
        b'\t' => b't',
        b'\n' => b'n',
        b'\x0c' => b'f',
        b'\r' => b'r',
        ..0x20 => {
            out.extend_from_slice(format!("\\u{byte:04x}").as_bytes());
            return;
        }
        _ => byte,
    };
    out.extend_from_slice(&[b'\\', letter]);
}

struct Reader<'a> {
    lexer: SliceLexer<'a>,
    bytes: usize,
    builder: Builder,
}

impl Reader<'_> {
    /// Reads one value. Open arrays and objects are on the builder's stack.
    fn value(&mut self) -> Result<Value> {
        loop {
            let mut ended = self.begin()?;
            // After a value come the ends of its containers, then a comma and the next value.
            while let Some(whole) = ended {
                if let Some(whole) = whole {
                    return Ok(whole);
                }
                ended = self.next()?;
            }
        }
    }

    /// Reads a scalar, or the start of an array or object up to its first value. Returns `None` if
    /// a value must follow, `Some` if one has ended, with the whole value if it is complete.
    fn begin(&mut self) -> Result<Option<Option<Value>>> {
        let value = match self.lexer.ws_peek() {
            Some(b'[') => {
                self.lexer.discarded();
                self.open(false)?;
                return if self.lexer.ws_peek() == Some(b']') { self.close() } else { Ok(None) };
            }
            Some(b'{') => {
                self.lexer.discarded();
                self.open(true)?;
                if self.lexer.ws_peek() == Some(b'}') {
                    return self.close();
                }
                self.name()?;
                return Ok(None);
            }
            Some(b'"') => {
                self.lexer.discarded();
                Value::String(self.string()?)
            }
            Some(b'-' | b'0'..=b'9') => Value::Number(self.number()?),
            Some(b'a'..=b'z') => match self.lexer.null_or_bool() {
                Some(Some(bool)) => Value::Bool(bool),
                Some(None) => Value::Null,
                None => return Err(self.refuse("expected a value")),
            },
            _ => return Err(self.refuse("expected a value")),
        };
        let whole = self.builder.add(value).map_err(|error| self.locate(error))?;
        Ok(Some(whole))
    }

    /// Reads on after a value inside an array or object. Returns the same as [`Self::begin`].
    fn next(&mut self) -> Result<Option<Option<Value>>> {
        let in_object = self.builder.in_object();
        match self.lexer.ws_peek() {
            Some(b']') if !in_object => self.close(),
            Some(b'}') if in_object => self.close(),
            Some(b',') => {
                self.lexer.discarded();
                if in_object {
                    self.lexer.eat_whitespace();
                    self.name()?;
                }
                Ok(None)
            }
            _ if in_object => Err(self.refuse("expected `,` or `}`")),
            _ => Err(self.refuse("expected `,` or `]`")),
        }
    }

    fn open(&mut self, object: bool) -> Result<()> {
        let opened = if object { self.builder.open_object(0) } else { self.builder.open_array(0) };
        opened.map_err(|error| self.locate(error))
    }

    fn close(&mut self) -> Result<Option<Option<Value>>> {
        self.lexer.discarded();
        self.builder.close().map(Some).map_err(|error| self.locate(error))
    }

    /// A member's name and the colon after it.
    fn name(&mut self) -> Result<()> {
        if self.lexer.expect(|lexer| lexer.peek_next(), b'"').is_none() {
            return Err(self.refuse("expected the name of a member in double quotes"));
        }
        let name = self.string()?;
        self.builder.name(name);
        if self.lexer.expect(SliceLexer::ws_peek, b':').is_none() {
            return Err(self.refuse("expected `:` after the name of a member"));
        }
        Ok(())
    }

    fn number(&mut self) -> Result<Number> {
        let start = self.offset();
        let (text, _) = self
            .lexer
            .num_string()
            .validated()
            .map_err(|_| self.refuse("expected a digit in the number"))?;
        Number::parse(text).map_err(|error| locate(error, start))
    }

    /// A string whose opening quote has been taken.
    fn string(&mut self) -> Result<String> {
        let text = self.lexer.str_string().map_err(|error| {
            self.refuse(match error {
                string::Error::Control => "a control character in a string must be escaped",
                string::Error::Eof | string::Error::Escape(escape::Error::Eof) => {
                    "expected `\"` at the end of the string"
                }
                string::Error::Utf8(_) => "a string must be UTF-8",
                string::Error::Escape(
                    escape::Error::InvalidChar(_) | escape::Error::ExpectedLowSurrogate,
                ) => "a surrogate escape must be part of a pair",
                string::Error::Escape(_) => "unknown escape in a string",
            })
        })?;
        Ok(text.into_owned())
    }

    fn refuse(&self, detail: &str) -> Error {
        Error::new(Code::InvalidJson, format!("{detail}, at byte {}", self.offset()))
    }

    fn locate(&self, error: Error) -> Error {
        locate(error, self.offset())
    }

    fn offset(&self) -> usize {
        self.bytes - self.lexer.as_slice().len()
    }
}

fn locate(error: Error, offset: usize) -> Error {
    error.reworded(|detail| format!("{detail}, at byte {offset}"))
}
