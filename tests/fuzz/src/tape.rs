//! Bytes as a tape of choices: any tape is some input, and every input has a tape.
//!
//! Laws about documents would see little of them if the fuzzer had to type JSON. Here each byte
//! chooses a kind, a length or a name, so that every mutation is another document. Past its end a
//! tape is all zeros. Writing is the inverse of reading, for seeds.

use nacre_core::{
    number::Number,
    pointer::Pointer,
    value::{Object, SEALED, Value},
};

/// Names that meet often, of every class of the UTF-16 order, some with escapes, some with a
/// meaning.
const NAMES: [&str; 24] = [
    "a",
    "b",
    "c",
    "id",
    "",
    "0",
    "1",
    "-",
    "~1",
    "/",
    "~",
    "\"",
    "\\",
    "\u{1}",
    "\n",
    "é",
    "\u{7ff}",
    "\u{e000}",
    "\u{ffff}",
    "\u{10000}",
    "\u{1f600}",
    "$sealed",
    "password",
    "m",
];

/// Deepest document a tape makes: one past what a context may hold.
const DEPTH: usize = 65;

/// Reads choices off bytes.
pub struct Tape<'a> {
    bytes: &'a [u8],
}

impl<'a> Tape<'a> {
    /// A tape at its beginning.
    pub fn new(bytes: &'a [u8]) -> Tape<'a> {
        Tape { bytes }
    }

    /// Whether everything has been read.
    pub fn is_done(&self) -> bool {
        self.bytes.is_empty()
    }

    /// The next byte.
    pub fn byte(&mut self) -> u8 {
        let Some((first, rest)) = self.bytes.split_first() else { return 0 };
        self.bytes = rest;
        *first
    }

    /// A choice of one thing among `count`.
    pub fn below(&mut self, count: usize) -> usize {
        usize::from(self.byte()) % count.max(1)
    }

    fn array<const N: usize>(&mut self) -> [u8; N] {
        std::array::from_fn(|_| self.byte())
    }

    fn take(&mut self, count: usize) -> &'a [u8] {
        let (taken, rest) = self.bytes.split_at(count.min(self.bytes.len()));
        self.bytes = rest;
        taken
    }

    /// A member's name.
    pub fn name(&mut self) -> String {
        let byte = usize::from(self.byte());
        match NAMES.get(byte % 32) {
            Some(name) => (*name).into(),
            None => String::from_utf8_lossy(self.take(byte / 32 + byte % 8)).into_owned(),
        }
    }

    /// A value.
    pub fn value(&mut self) -> Value {
        self.value_within(DEPTH)
    }

    fn value_within(&mut self, depth: usize) -> Value {
        let kind = self.byte() % 16;
        match kind {
            0 => Value::Null,
            1 => Value::Bool(false),
            2 => Value::Bool(true),
            3 => Value::Number(i64::from(self.byte() as i8).into()),
            4 => {
                Number::from_f64(f64::from_le_bytes(self.array())).map_or(Value::Null, Value::from)
            }
            5 => u64::from_le_bytes(self.array()).into(),
            6 => i64::from_le_bytes(self.array()).into(),
            7 => self.name().into(),
            8 => {
                let length = self.byte().into();
                String::from_utf8_lossy(self.take(length)).into_owned().into()
            }
            9..=11 if depth > 0 => {
                let length = self.byte() % 8;
                Value::Array((0..length).map(|_| self.value_within(depth - 1)).collect())
            }
            12.. if depth > 0 => self.object_of(kind, depth).into(),
            _ => Value::Null,
        }
    }

    /// An object, as the data of a context is.
    pub fn object(&mut self) -> Object {
        let kind = self.byte() % 16;
        self.object_of(kind, DEPTH)
    }

    fn object_of(&mut self, kind: u8, depth: usize) -> Object {
        let mut object = Object::new();
        let length = self.byte();
        if kind == 15 {
            // Wide, so that its hash tree has groups: many names, short values.
            let first = u16::from(self.byte());
            for n in first..first + u16::from(length) {
                let value = match self.byte() % 8 {
                    0 => continue,
                    1 => Value::Null,
                    2 => self.value_within(depth - 1),
                    other => u64::from(other).into(),
                };
                object.insert(format!("n{n}"), value);
            }
        } else {
            for _ in 0..length % 8 {
                let name = self.name();
                object.insert(name, self.value_within(depth - 1));
            }
        }
        object
    }

    /// A pointer that mostly leads somewhere in `document`.
    pub fn pointer(&mut self, document: &Value) -> Pointer {
        let mut pointer = Pointer::root();
        let mut here = Some(document);
        for _ in 0..=DEPTH {
            let choice = self.byte();
            match (here, choice % 8) {
                (_, 0) => break,
                (_, 1) => {
                    let name = self.name();
                    pointer.push(&name);
                    here = here.and_then(|here| here.as_object()?.get(&name));
                }
                (_, 2) => {
                    pointer.push("-");
                    here = None;
                }
                (Some(Value::Object(object)), _) if !object.is_empty() => {
                    let Some((name, value)) =
                        object.iter().nth(usize::from(choice / 8) % object.len())
                    else {
                        break;
                    };
                    pointer.push(name);
                    here = Some(value);
                }
                (Some(Value::Array(items)), _) => {
                    // One past the end too: that is where an item is added.
                    let index = usize::from(choice / 8) % (items.len() + 1);
                    pointer.push_index(index);
                    here = items.get(index);
                }
                _ => break,
            }
        }
        pointer
    }
}

/// Takes out what `$sealed` is not for: it has one use, and stored documents keep to it.
pub fn markers_alone(value: &mut Value) {
    match value {
        Value::Object(object) => {
            if object.len() > 1 || object.get(SEALED).is_none_or(|held| held.as_str().is_none()) {
                object.remove(SEALED);
            }
            object.iter_mut().for_each(|(_, value)| markers_alone(value));
        }
        Value::Array(items) => items.iter_mut().for_each(markers_alone),
        _ => {}
    }
}

/// Writes tapes.
#[derive(Default)]
pub struct Recorder(Vec<u8>);

impl Recorder {
    /// The tape.
    pub fn finish(self) -> Vec<u8> {
        self.0
    }

    /// A byte.
    pub fn byte(&mut self, byte: u8) {
        self.0.push(byte);
    }

    fn name(&mut self, name: &str) {
        match NAMES.iter().position(|known| *known == name) {
            Some(at) => self.byte(at as u8),
            // Tag t > 23 in its low five bits reads t / 32 + t % 8 bytes: 24 + 32 × length does.
            None => {
                let length = name.len().min(7);
                self.byte(24 + 32 * length as u8);
                self.0.extend_from_slice(&name.as_bytes()[..length]);
            }
        }
    }

    /// A value; what a tape cannot say (long arrays, long strings) is cut short.
    pub fn value(&mut self, value: &Value) {
        match value {
            Value::Null => self.byte(0),
            Value::Bool(bool) => self.byte(1 + u8::from(*bool)),
            Value::Number(number) => self.number(*number),
            Value::String(text) => {
                let length = text.len().min(255);
                self.byte(8);
                self.byte(length as u8);
                self.0.extend_from_slice(&text.as_bytes()[..length]);
            }
            Value::Array(items) => {
                self.byte(9);
                self.byte(items.len().min(7) as u8);
                items.iter().take(7).for_each(|item| self.value(item));
            }
            Value::Object(object) => self.object(object),
        }
    }

    /// An object's members, as [`Tape::object`] reads them.
    pub fn object(&mut self, object: &Object) {
        self.byte(12);
        self.byte(object.len().min(7) as u8);
        for (name, value) in object.iter().take(7) {
            self.name(name);
            self.value(value);
        }
    }

    fn number(&mut self, number: Number) {
        match number {
            Number::Float(float) => {
                self.byte(4);
                self.0.extend_from_slice(&float.to_le_bytes());
            }
            Number::Unsigned(unsigned) => {
                self.byte(5);
                self.0.extend_from_slice(&unsigned.to_le_bytes());
            }
            Number::Signed(signed) => {
                self.byte(6);
                self.0.extend_from_slice(&signed.to_le_bytes());
            }
        }
    }

    /// A pointer, token by token.
    pub fn pointer(&mut self, pointer: &Pointer) {
        for token in pointer.tokens() {
            self.byte(1);
            self.name(&token);
        }
        self.byte(0);
    }
}

#[cfg(test)]
mod tests {
    use nacre_core::json;

    use super::*;

    #[test]
    fn a_recorded_value_is_read_again() {
        let text =
            r#"{"":[null,true,-5,1.5],"a":{"$sealed":"x"},"long":18446744073709551615,"é":"ü"}"#;
        let value = json::read(text.as_bytes(), 64).expect("JSON");
        let mut recorder = Recorder::default();
        recorder.value(&value);
        recorder.pointer(&Pointer::from_tokens(["a", "$sealed"]));
        let bytes = recorder.finish();
        let mut tape = Tape::new(&bytes);
        assert_eq!(tape.value(), value);
        assert_eq!(tape.pointer(&value).as_str(), "/a/$sealed");
        assert!(tape.is_done());
    }
}
