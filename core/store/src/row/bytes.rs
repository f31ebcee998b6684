//! The encoding of values: unsigned integers in LEB128, texts after their length, the rest by
//! position.

use alloc::{string::String, vec::Vec};

use crate::{limits, moment::Moment, row::odd};
use nacre_layers::{
    error::Result,
    id::{ContextId, User},
    json,
    rules::Rules,
    value::Value,
};

/// The first byte of every value.
const FORMAT: u8 = 1;

/// Builds a value.
pub(super) struct Writer(Vec<u8>);

impl Writer {
    pub(super) fn new() -> Writer {
        Writer(alloc::vec![FORMAT])
    }

    pub(super) fn byte(&mut self, byte: u8) {
        self.0.push(byte);
    }

    /// Up to eight booleans in one byte, the first in the lowest bit.
    pub(super) fn flags<const N: usize>(&mut self, flags: [bool; N]) {
        const { assert!(N <= 8) };
        let byte = flags.iter().rev().fold(0, |byte, flag| byte << 1 | u8::from(*flag));
        self.byte(byte);
    }

    pub(super) fn number(&mut self, mut number: u64) {
        while number > 0x7f {
            self.byte(number as u8 | 0x80);
            number >>= 7;
        }
        self.byte(number as u8);
    }

    pub(super) fn moment(&mut self, moment: Moment) {
        self.number(moment.0);
    }

    pub(super) fn bytes(&mut self, bytes: &[u8]) {
        self.number(bytes.len() as u64);
        self.rest(bytes);
    }

    pub(super) fn text(&mut self, text: &str) {
        self.bytes(text.as_bytes());
    }

    pub(super) fn optional_text(&mut self, text: Option<&str>) {
        if let Some(text) = text {
            self.text(text);
        }
    }

    pub(super) fn value(&mut self, value: &Value) {
        self.bytes(&json::write(value));
    }

    pub(super) fn rules(&mut self, rules: &Rules) {
        self.value(&Value::Object(rules.to_object()));
    }

    /// The last field needs no length.
    pub(super) fn rest(&mut self, bytes: &[u8]) {
        self.0.extend_from_slice(bytes);
    }

    pub(super) fn finish(self) -> Vec<u8> {
        self.0
    }
}

/// Reads a value. Every method fails if the bytes are not what it expects.
pub(super) struct Reader<'a> {
    rest: &'a [u8],
}

impl<'a> Reader<'a> {
    pub(super) fn new(plain: &'a [u8]) -> Result<Reader<'a>> {
        let mut reader = Reader { rest: plain };
        if reader.byte()? == FORMAT { Ok(reader) } else { Err(odd()) }
    }

    pub(super) fn byte(&mut self) -> Result<u8> {
        let (first, rest) = self.rest.split_first().ok_or_else(odd)?;
        self.rest = rest;
        Ok(*first)
    }

    pub(super) fn flags<const N: usize>(&mut self) -> Result<[bool; N]> {
        let mut byte = self.byte()?;
        let flags = core::array::from_fn(|_| {
            let flag = byte & 1 == 1;
            byte >>= 1;
            flag
        });
        if byte == 0 { Ok(flags) } else { Err(odd()) }
    }

    pub(super) fn number(&mut self) -> Result<u64> {
        let mut number = 0u64;
        for shift in (0..64).step_by(7) {
            let byte = self.byte()?;
            let bits = u64::from(byte & 0x7f);
            if bits << shift >> shift != bits {
                return Err(odd());
            }
            number |= bits << shift;
            if byte < 0x80 {
                // Each number has exactly one form.
                return if byte == 0 && shift > 0 { Err(odd()) } else { Ok(number) };
            }
        }
        Err(odd())
    }

    pub(super) fn moment(&mut self) -> Result<Moment> {
        self.number().map(Moment)
    }

    pub(super) fn bytes(&mut self) -> Result<&'a [u8]> {
        let length = usize::try_from(self.number()?).map_err(|_| odd())?;
        let (bytes, rest) = self.rest.split_at_checked(length).ok_or_else(odd)?;
        self.rest = rest;
        Ok(bytes)
    }

    pub(super) fn array<const N: usize>(&mut self) -> Result<[u8; N]> {
        let (bytes, rest) = self.rest.split_first_chunk().ok_or_else(odd)?;
        self.rest = rest;
        Ok(*bytes)
    }

    pub(super) fn text(&mut self) -> Result<&'a str> {
        core::str::from_utf8(self.bytes()?).map_err(|_| odd())
    }

    pub(super) fn optional_text(&mut self, present: bool) -> Result<Option<String>> {
        if present { self.text().map(|text| Some(text.into())) } else { Ok(None) }
    }

    pub(super) fn user(&mut self) -> Result<User> {
        User::parse(self.text()?).map_err(|_| odd())
    }

    pub(super) fn context_id(&mut self) -> Result<ContextId> {
        ContextId::stored(self.text()?).map_err(|_| odd())
    }

    pub(super) fn value(&mut self) -> Result<Value> {
        json::read(self.bytes()?, limits::DEPTH).map_err(|_| odd())
    }

    pub(super) fn rules(&mut self) -> Result<Rules> {
        let Value::Object(rules) = self.value()? else { return Err(odd()) };
        Rules::from_object(&rules).map_err(|_| odd())
    }

    /// The number of remaining bytes, for the last field.
    pub(super) fn left(&self) -> usize {
        self.rest.len()
    }

    pub(super) fn end(self) -> Result<()> {
        if self.rest.is_empty() { Ok(()) } else { Err(odd()) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_come_back_and_have_one_form() {
        for number in [0, 1, 0x7f, 0x80, 0x3fff, 0x4000, limits::EXACT_INTEGER, u64::MAX] {
            let mut writer = Writer::new();
            writer.number(number);
            let bytes = writer.finish();
            let mut reader = Reader::new(&bytes).unwrap();
            assert_eq!(reader.number(), Ok(number));
            reader.end().unwrap();
        }
        for odd in [
            &[0x80, 0x00][..],
            &[0xff; 10],
            &[0x80],
            &[0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0x02],
        ] {
            let bytes = [&[FORMAT], odd].concat();
            assert!(Reader::new(&bytes).unwrap().number().is_err(), "{odd:?}");
        }
    }

    #[test]
    fn flags_come_back_and_no_others() {
        let mut writer = Writer::new();
        writer.flags([true, false, true]);
        let bytes = writer.finish();
        assert_eq!(Reader::new(&bytes).unwrap().flags(), Ok([true, false, true]));
        assert!(Reader::new(&bytes).unwrap().flags::<2>().is_err());
    }

    #[test]
    fn a_length_past_the_end_is_refused() {
        for bytes in [
            &[FORMAT, 2, b'a'][..],
            &[FORMAT, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0x01],
        ] {
            assert!(Reader::new(bytes).unwrap().bytes().is_err());
        }
        assert!(Reader::new(&[]).is_err() && Reader::new(&[2]).is_err());
    }
}
