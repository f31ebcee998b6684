//! Encodes a Rust type as a value; 64-bit integers stay exact.

use alloc::{
    borrow::Cow,
    format,
    string::{String, ToString as _},
    vec::Vec,
};
use core::fmt;

use serde::{
    Serialize, Serializer,
    ser::{
        self, SerializeMap, SerializeSeq, SerializeStruct, SerializeStructVariant, SerializeTuple,
        SerializeTupleStruct, SerializeTupleVariant,
    },
};

use super::{Object, Value};
use crate::{
    error::{Error, Result},
    number::Number,
};

/// Encodes a type as a value.
///
/// # Errors
/// `internal` if the type has no JSON form (a NaN, a map with keys that are not strings, bytes).
pub fn encode<T: Serialize + ?Sized>(value: &T) -> Result<Value> {
    value.serialize(Encoder).map_err(|Unencodable(error)| error)
}

impl Serialize for Number {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match *self {
            Number::Signed(signed) => serializer.serialize_i64(signed),
            Number::Unsigned(unsigned) => serializer.serialize_u64(unsigned),
            Number::Float(float) => serializer.serialize_f64(float),
        }
    }
}

impl Serialize for Value {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match self {
            Value::Null => serializer.serialize_unit(),
            Value::Bool(bool) => serializer.serialize_bool(*bool),
            Value::Number(number) => number.serialize(serializer),
            Value::String(text) => serializer.serialize_str(text),
            Value::Array(items) => serializer.collect_seq(items),
            Value::Object(object) => object.serialize(serializer),
        }
    }
}

impl Serialize for Object {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_map(self.iter())
    }
}

/// The error for a type without a JSON form.
#[derive(Debug)]
struct Unencodable(Error);

impl Unencodable {
    fn new(detail: impl Into<Cow<'static, str>>) -> Unencodable {
        Unencodable(Error::bug(detail))
    }
}

impl fmt::Display for Unencodable {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(&self.0, f)
    }
}

impl core::error::Error for Unencodable {}

impl ser::Error for Unencodable {
    fn custom<T: fmt::Display>(detail: T) -> Unencodable {
        Unencodable::new(format!("{detail}"))
    }
}

type Encoded<T = Value> = core::result::Result<T, Unencodable>;

fn object(members: Vec<(String, Value)>) -> Encoded {
    Object::from_unsorted(members)
        .map(Value::Object)
        .map_err(|name| Unencodable::new(format!("the member `{name}` is encoded twice")))
}

fn tagged(variant: &str, content: Value) -> Encoded {
    object(Vec::from([(variant.into(), content)]))
}

struct Encoder;

impl Serializer for Encoder {
    type Ok = Value;
    type Error = Unencodable;
    type SerializeSeq = Items;
    type SerializeTuple = Items;
    type SerializeTupleStruct = Items;
    type SerializeTupleVariant = Items;
    type SerializeMap = Members;
    type SerializeStruct = Members;
    type SerializeStructVariant = Members;

    fn serialize_bool(self, bool: bool) -> Encoded {
        Ok(bool.into())
    }

    fn serialize_i8(self, signed: i8) -> Encoded {
        Ok(i64::from(signed).into())
    }

    fn serialize_i16(self, signed: i16) -> Encoded {
        Ok(i64::from(signed).into())
    }

    fn serialize_i32(self, signed: i32) -> Encoded {
        Ok(i64::from(signed).into())
    }

    fn serialize_i64(self, signed: i64) -> Encoded {
        Ok(signed.into())
    }

    fn serialize_u8(self, unsigned: u8) -> Encoded {
        Ok(u64::from(unsigned).into())
    }

    fn serialize_u16(self, unsigned: u16) -> Encoded {
        Ok(u64::from(unsigned).into())
    }

    fn serialize_u32(self, unsigned: u32) -> Encoded {
        Ok(u64::from(unsigned).into())
    }

    fn serialize_u64(self, unsigned: u64) -> Encoded {
        Ok(unsigned.into())
    }

    fn serialize_f32(self, float: f32) -> Encoded {
        self.serialize_f64(float.into())
    }

    fn serialize_f64(self, float: f64) -> Encoded {
        Number::from_f64(float)
            .map(Value::Number)
            .ok_or_else(|| Unencodable::new("a number must be finite"))
    }

    fn serialize_char(self, char: char) -> Encoded {
        Ok(char.to_string().into())
    }

    fn serialize_str(self, text: &str) -> Encoded {
        Ok(text.into())
    }

    fn serialize_bytes(self, _: &[u8]) -> Encoded {
        Err(Unencodable::new("bytes have no JSON form"))
    }

    fn serialize_none(self) -> Encoded {
        Ok(Value::Null)
    }

    fn serialize_some<T: Serialize + ?Sized>(self, value: &T) -> Encoded {
        value.serialize(self)
    }

    fn serialize_unit(self) -> Encoded {
        Ok(Value::Null)
    }

    fn serialize_unit_struct(self, _: &'static str) -> Encoded {
        Ok(Value::Null)
    }

    fn serialize_unit_variant(self, _: &'static str, _: u32, variant: &'static str) -> Encoded {
        Ok(variant.into())
    }

    fn serialize_newtype_struct<T: Serialize + ?Sized>(
        self,
        _: &'static str,
        value: &T,
    ) -> Encoded {
        value.serialize(self)
    }

    fn serialize_newtype_variant<T: Serialize + ?Sized>(
        self,
        _: &'static str,
        _: u32,
        variant: &'static str,
        value: &T,
    ) -> Encoded {
        tagged(variant, value.serialize(Encoder)?)
    }

    fn serialize_seq(self, length: Option<usize>) -> Encoded<Items> {
        Ok(Items { variant: None, items: Vec::with_capacity(length.unwrap_or(0)) })
    }

    fn serialize_tuple(self, length: usize) -> Encoded<Items> {
        self.serialize_seq(Some(length))
    }

    fn serialize_tuple_struct(self, _: &'static str, length: usize) -> Encoded<Items> {
        self.serialize_seq(Some(length))
    }

    fn serialize_tuple_variant(
        self,
        _: &'static str,
        _: u32,
        variant: &'static str,
        length: usize,
    ) -> Encoded<Items> {
        Ok(Items { variant: Some(variant), items: Vec::with_capacity(length) })
    }

    fn serialize_map(self, length: Option<usize>) -> Encoded<Members> {
        let members = Vec::with_capacity(length.unwrap_or(0));
        Ok(Members { variant: None, members, name: String::new() })
    }

    fn serialize_struct(self, _: &'static str, length: usize) -> Encoded<Members> {
        self.serialize_map(Some(length))
    }

    fn serialize_struct_variant(
        self,
        _: &'static str,
        _: u32,
        variant: &'static str,
        length: usize,
    ) -> Encoded<Members> {
        let members = Vec::with_capacity(length);
        Ok(Members { variant: Some(variant), members, name: String::new() })
    }
}

struct Items {
    variant: Option<&'static str>,
    items: Vec<Value>,
}

impl Items {
    #[inline(never)]
    fn add(&mut self, value: Encoded) -> Encoded<()> {
        self.items.push(value?);
        Ok(())
    }

    fn finish(self) -> Encoded {
        let items = Value::Array(self.items);
        match self.variant {
            Some(variant) => tagged(variant, items),
            None => Ok(items),
        }
    }
}

impl SerializeSeq for Items {
    type Ok = Value;
    type Error = Unencodable;

    fn serialize_element<T: Serialize + ?Sized>(&mut self, value: &T) -> Encoded<()> {
        self.add(value.serialize(Encoder))
    }

    fn end(self) -> Encoded {
        self.finish()
    }
}

impl SerializeTuple for Items {
    type Ok = Value;
    type Error = Unencodable;

    fn serialize_element<T: Serialize + ?Sized>(&mut self, value: &T) -> Encoded<()> {
        self.add(value.serialize(Encoder))
    }

    fn end(self) -> Encoded {
        self.finish()
    }
}

impl SerializeTupleStruct for Items {
    type Ok = Value;
    type Error = Unencodable;

    fn serialize_field<T: Serialize + ?Sized>(&mut self, value: &T) -> Encoded<()> {
        self.add(value.serialize(Encoder))
    }

    fn end(self) -> Encoded {
        self.finish()
    }
}

impl SerializeTupleVariant for Items {
    type Ok = Value;
    type Error = Unencodable;

    fn serialize_field<T: Serialize + ?Sized>(&mut self, value: &T) -> Encoded<()> {
        self.add(value.serialize(Encoder))
    }

    fn end(self) -> Encoded {
        self.finish()
    }
}

struct Members {
    variant: Option<&'static str>,
    members: Vec<(String, Value)>,
    /// The name of the next value.
    name: String,
}

impl Members {
    /// Adds a member. It takes the encoded value, so that it is compiled once and not per type.
    #[inline(never)]
    fn add(&mut self, name: &str, value: Encoded) -> Encoded<()> {
        self.members.push((name.into(), value?));
        Ok(())
    }

    fn finish(self) -> Encoded {
        let members = object(self.members)?;
        match self.variant {
            Some(variant) => tagged(variant, members),
            None => Ok(members),
        }
    }
}

impl SerializeMap for Members {
    type Ok = Value;
    type Error = Unencodable;

    fn serialize_key<T: Serialize + ?Sized>(&mut self, name: &T) -> Encoded<()> {
        match name.serialize(Encoder)? {
            Value::String(name) => {
                self.name = name;
                Ok(())
            }
            _ => Err(Unencodable::new("the name of a member must be a string")),
        }
    }

    fn serialize_value<T: Serialize + ?Sized>(&mut self, value: &T) -> Encoded<()> {
        let name = core::mem::take(&mut self.name);
        self.members.push((name, value.serialize(Encoder)?));
        Ok(())
    }

    fn end(self) -> Encoded {
        self.finish()
    }
}

impl SerializeStruct for Members {
    type Ok = Value;
    type Error = Unencodable;

    fn serialize_field<T: Serialize + ?Sized>(
        &mut self,
        name: &'static str,
        value: &T,
    ) -> Encoded<()> {
        self.add(name, value.serialize(Encoder))
    }

    fn end(self) -> Encoded {
        self.finish()
    }
}

impl SerializeStructVariant for Members {
    type Ok = Value;
    type Error = Unencodable;

    fn serialize_field<T: Serialize + ?Sized>(
        &mut self,
        name: &'static str,
        value: &T,
    ) -> Encoded<()> {
        self.add(name, value.serialize(Encoder))
    }

    fn end(self) -> Encoded {
        self.finish()
    }
}
