//! Reading and writing MessagePack, for what has a form in JSON.
//!
//! `rmp-serde` does the format, and the core's [`Builder`] holds what it reads to the same limits as
//! JSON. Maps must have string keys, each once; binary, extension and timestamp values, NaN and the
//! infinities are refused. A float that is a 64-bit integer becomes that integer, as in JSON.
//!
//! `rmp-serde` needs the standard library and the core has none, so this crate stands beside the
//! Worker, the only shell that speaks MessagePack. It is a crate of its own because the vectors and
//! the fuzzer run it without a Worker.

mod input;

use nacre_core::{
    error::{Code, Error, Result},
    number::Number,
    value::{Builder, Value},
};
use rmp_serde::{Deserializer, Serializer, decode};
use serde::{
    Serialize as _,
    de::{self, DeserializeSeed, MapAccess, SeqAccess, Visitor},
};

use input::{Input, Offset};

/// Most room that is made for a container before its values are seen: its declared length is only a
/// claim.
const CLAIMED: usize = 64;

/// Deepest nesting that is read whatever is asked for: `rmp-serde` recurses, and stops at 1,024.
const DEEPEST: usize = 1000;

/// Reads one value that nests at most `max_depth` arrays and maps, and at most 1,000.
///
/// # Errors
/// `invalid-json` with the byte offset, `too-deep`, or `too-large` for more than
/// [`limits::VALUES`](nacre_core::limits::VALUES) values. No detail quotes the input.
pub fn read(bytes: &[u8], max_depth: usize) -> Result<Value> {
    let offset = Offset::default();
    let mut reading = Reading {
        offset: &offset,
        builder: Builder::new(max_depth.min(DEEPEST)),
        begun: 0,
        whole: None,
        refusal: None,
    };
    let mut deserializer = Deserializer::new(Input::new(bytes, &offset));
    match Node(&mut reading).deserialize(&mut deserializer) {
        Err(error) => Err(reading.explain(&error)),
        Ok(()) if offset.taken() < bytes.len() => {
            Err(refusal("expected the end of the input after the value", offset.taken()))
        }
        Ok(()) => reading.whole.ok_or_else(|| Error::bug("a value was read and is not there")),
    }
}

/// The value in MessagePack: shortest integers and lengths, doubles for all other numbers, maps in
/// canonical order.
pub fn write(value: &Value) -> Vec<u8> {
    let mut out = Vec::with_capacity(128);
    // It can only fail where writing does, and writing into memory does not.
    _ = value.serialize(&mut Serializer::new(&mut out));
    out
}

/// A value being read.
struct Reading<'p> {
    offset: &'p Offset,
    builder: Builder,
    /// Where the value or key that was asked for last begins.
    begun: usize,
    /// The value, once it has ended.
    whole: Option<Value>,
    /// Why reading stopped, where this crate and not `rmp-serde` stopped it.
    refusal: Option<Error>,
}

impl Reading<'_> {
    /// Stops reading: the reason is kept here, for an error of `rmp-serde` holds text only.
    fn refuse<T, E: de::Error>(&mut self, error: Error) -> Result<T, E> {
        self.refusal = Some(error);
        Err(E::custom(""))
    }

    /// Takes what the builder answers.
    fn take<E: de::Error>(&mut self, answer: Result<Option<Value>>) -> Result<(), E> {
        match answer {
            Ok(whole) => {
                self.whole = whole;
                Ok(())
            }
            Err(error) => {
                let at = self.offset.taken();
                self.refuse(error.reworded(|detail| format!("{detail}, at byte {at}")))
            }
        }
    }

    /// Why reading stopped.
    fn explain(self, error: &decode::Error) -> Error {
        use decode::Error as Stop;
        match (error, self.refusal) {
            (Stop::InvalidMarkerRead(_) | Stop::InvalidDataRead(_), _) => {
                refusal("the input ends inside a value", self.offset.ended())
            }
            // Bytes that are no text are offered as binary first, which may have left a refusal.
            (Stop::Utf8Error(_), _) => refusal("a string must be UTF-8", self.offset.taken()),
            (Stop::TypeMismatch(_), _) => refusal("this byte cannot start a value", self.begun),
            (_, Some(refusal)) => refusal,
            // Only keys leave the kinds they do not take to serde.
            (_, None) => refusal("a key of a map must be a string", self.begun),
        }
    }
}

fn refusal(detail: &str, at: usize) -> Error {
    Error::new(Code::InvalidJson, format!("{detail}, at byte {at}"))
}

/// Takes a value of any kind.
struct Node<'r, 'p>(&'r mut Reading<'p>);

impl<'de> DeserializeSeed<'de> for Node<'_, '_> {
    type Value = ();

    fn deserialize<D: de::Deserializer<'de>>(self, deserializer: D) -> Result<(), D::Error> {
        self.0.begun = self.0.offset.taken();
        deserializer.deserialize_any(self)
    }
}

impl Node<'_, '_> {
    fn add<E: de::Error>(self, value: impl Into<Value>) -> Result<(), E> {
        let answer = self.0.builder.add(value.into());
        self.0.take(answer)
    }
}

impl<'de> Visitor<'de> for Node<'_, '_> {
    type Value = ();

    fn expecting(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("a value that has a form in JSON")
    }

    fn visit_unit<E: de::Error>(self) -> Result<(), E> {
        self.add(Value::Null)
    }

    fn visit_bool<E: de::Error>(self, bool: bool) -> Result<(), E> {
        self.add(bool)
    }

    fn visit_i64<E: de::Error>(self, signed: i64) -> Result<(), E> {
        self.add(signed)
    }

    fn visit_u64<E: de::Error>(self, unsigned: u64) -> Result<(), E> {
        self.add(unsigned)
    }

    fn visit_f64<E: de::Error>(self, float: f64) -> Result<(), E> {
        match Number::from_f64(float) {
            Some(number) => self.add(number),
            None => {
                let detail = "NaN and infinity have no JSON form";
                self.0.refuse(refusal(detail, self.0.offset.taken()))
            }
        }
    }

    fn visit_str<E: de::Error>(self, text: &str) -> Result<(), E> {
        self.add(text)
    }

    fn visit_bytes<E: de::Error>(self, _: &[u8]) -> Result<(), E> {
        self.0.refuse(refusal("binary data has no JSON form; use a string", self.0.begun))
    }

    /// How `rmp-serde` hands extension types over.
    fn visit_newtype_struct<D: de::Deserializer<'de>>(self, _: D) -> Result<(), D::Error> {
        let detail = "extension types and timestamps have no JSON form; use a string";
        self.0.refuse(refusal(detail, self.0.begun))
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut items: A) -> Result<(), A::Error> {
        let reading = self.0;
        let claimed = items.size_hint().unwrap_or(0).min(CLAIMED);
        let opened = reading.builder.open_array(claimed).map(|()| None);
        reading.take::<A::Error>(opened)?;
        while items.next_element_seed(Node(reading))?.is_some() {}
        let closed = reading.builder.close();
        reading.take(closed)
    }

    fn visit_map<A: MapAccess<'de>>(self, mut members: A) -> Result<(), A::Error> {
        let reading = self.0;
        let claimed = members.size_hint().unwrap_or(0).min(CLAIMED);
        let opened = reading.builder.open_object(claimed).map(|()| None);
        reading.take::<A::Error>(opened)?;
        while members.next_key_seed(Key(reading))?.is_some() {
            members.next_value_seed(Node(reading))?;
        }
        let closed = reading.builder.close();
        reading.take(closed)
    }
}

/// Takes the key of a map.
struct Key<'r, 'p>(&'r mut Reading<'p>);

impl<'de> DeserializeSeed<'de> for Key<'_, '_> {
    type Value = ();

    fn deserialize<D: de::Deserializer<'de>>(self, deserializer: D) -> Result<(), D::Error> {
        self.0.begun = self.0.offset.taken();
        deserializer.deserialize_any(self)
    }
}

impl Visitor<'_> for Key<'_, '_> {
    type Value = ();

    fn expecting(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("a string")
    }

    fn visit_str<E>(self, name: &str) -> Result<(), E> {
        self.0.builder.name(name.into());
        Ok(())
    }
}
