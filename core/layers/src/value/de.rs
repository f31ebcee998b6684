//! Decodes a parsed value into a Rust type. Errors name the place, and never quote the value.

use alloc::{borrow::Cow, boxed::Box, format, string::String, vec::Vec};
use core::fmt;

use serde::{
    Deserialize, Deserializer,
    de::{
        self, DeserializeOwned, DeserializeSeed, EnumAccess, Expected, IntoDeserializer, MapAccess,
        SeqAccess, Unexpected, VariantAccess, Visitor,
    },
    forward_to_deserialize_any,
};

use super::{Object, Value};
use crate::{
    error::{Code, Error, Result},
    number::Number,
    pointer::Pointer,
};

/// Decodes a value into a type. Unknown members are refused, also in nested structs.
///
/// Values that serde buffers (`flatten`, internally tagged and untagged enums) lose the place
/// within the buffered part. Optional fields must be an [`Option`] or ignored: `default` has no
/// effect for other types, and `alias` would break the order of the fields. Supporting them would
/// cost code in every struct.
///
/// ```
/// use nacre_layers::{json, value::decode};
///
/// #[derive(serde::Deserialize)]
/// struct Service {
///     port: u16,
/// }
///
/// let service: Service = decode(json::read(br#"{"port":8080}"#, 64)?)?;
/// assert_eq!(service.port, 8080);
///
/// let error = decode::<Service>(json::read(br#"{"port":"80"}"#, 64)?).err().expect("refused");
/// assert_eq!(error.pointer(), Some("/port"));
/// # Ok::<(), nacre_layers::error::Error>(())
/// ```
///
/// # Errors
/// `invalid-request` with the pointer to the first wrong member.
pub fn decode<T: DeserializeOwned>(value: Value) -> Result<T> {
    decode_node(Node { value, strict: true })
}

/// As [`decode`], but unknown members are ignored, for data that a newer version may have written.
///
/// # Errors
/// As [`decode`].
pub fn decode_known<T: DeserializeOwned>(value: Value) -> Result<T> {
    decode_node(Node { value, strict: false })
}

fn decode_node<T: DeserializeOwned>(node: Node) -> Result<T> {
    T::deserialize(node).map_err(|Mismatch(misfit)| {
        let path = misfit.path.iter().rev().map(String::as_str);
        Error::new(Code::InvalidRequest, misfit.detail).at(Pointer::from_tokens(path))
    })
}

impl<'de> Deserialize<'de> for Value {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Value, D::Error> {
        deserializer.deserialize_any(ValueVisitor)
    }
}

impl<'de> Deserialize<'de> for Object {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Object, D::Error> {
        deserializer.deserialize_map(ObjectVisitor)
    }
}

/// A decoding error. It has the size of one pointer, because every call below returns it.
#[derive(Debug)]
struct Mismatch(Box<Misfit>);

/// The detail, and the tokens of the place, innermost first.
#[derive(Debug)]
struct Misfit {
    detail: Cow<'static, str>,
    path: Vec<String>,
}

impl Mismatch {
    fn new(detail: impl Into<Cow<'static, str>>) -> Mismatch {
        Mismatch(Box::new(Misfit { detail: detail.into(), path: Vec::new() }))
    }

    fn below(mut self, token: String) -> Mismatch {
        self.0.path.push(token);
        self
    }
}

impl fmt::Display for Mismatch {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0.detail)
    }
}

impl core::error::Error for Mismatch {}

/// serde's own texts quote the wrong value, which may be a secret; these do not.
impl de::Error for Mismatch {
    fn custom<T: fmt::Display>(detail: T) -> Mismatch {
        Mismatch::new(format!("{detail}"))
    }

    fn invalid_type(found: Unexpected<'_>, expected: &dyn Expected) -> Mismatch {
        Mismatch::new(format!("this must be {}, not {}", in_words(expected), kind(&found)))
    }

    fn invalid_value(_: Unexpected<'_>, expected: &dyn Expected) -> Mismatch {
        Mismatch::new(format!("this must be {}", in_words(expected)))
    }

    fn invalid_length(length: usize, expected: &dyn Expected) -> Mismatch {
        Mismatch::new(format!("this must be {expected}, not {length} long"))
    }

    fn unknown_variant(_: &str, expected: &'static [&'static str]) -> Mismatch {
        Mismatch::new(format!("this must be one of {}", expected.join(", ")))
    }

    fn unknown_field(_: &str, expected: &'static [&'static str]) -> Mismatch {
        Mismatch::new(format!("unknown member; allowed: {}", expected.join(", ")))
    }

    fn missing_field(field: &'static str) -> Mismatch {
        Mismatch::new(format!("the member `{field}` is required"))
    }

    fn duplicate_field(field: &'static str) -> Mismatch {
        Mismatch::new(format!("the member `{field}` must not be repeated"))
    }
}

/// The expectation of serde, without Rust's type names.
fn in_words(expected: &dyn Expected) -> Cow<'static, str> {
    let expected = format!("{expected}");
    Cow::Borrowed(match expected.as_str() {
        "u8" => "an integer from 0 to 255",
        "u16" => "an integer from 0 to 65535",
        "u32" | "usize" => "an integer from 0 to 4294967295",
        "u64" => "an integer from 0 to 18446744073709551615",
        "i8" | "i16" | "i32" | "i64" | "isize" => "an integer within the range",
        "f32" | "f64" => "a number",
        "a sequence" => "an array",
        "a map" => "an object",
        "unit" => "null",
        _ => return Cow::Owned(expected),
    })
}

fn kind(found: &Unexpected<'_>) -> &'static str {
    match found {
        Unexpected::Bool(_) => "a boolean",
        Unexpected::Unsigned(_) | Unexpected::Signed(_) | Unexpected::Float(_) => "a number",
        Unexpected::Char(_) | Unexpected::Str(_) => "a string",
        Unexpected::Unit | Unexpected::Option => "null",
        Unexpected::Seq => "an array",
        Unexpected::Map => "an object",
        _ => "this",
    }
}

/// A value that is being decoded. It is a separate type so that [`Value`] does not expose more than
/// [`decode`].
///
/// Each method handles only the requested kind, because its code is compiled again for every
/// decoded type.
struct Node {
    value: Value,
    /// Whether unknown members are refused.
    strict: bool,
}

/// As in serde's own errors: the expected and the actual kind.
fn refuse<T>(found: &Value, expected: &dyn Expected) -> Result<T, Mismatch> {
    Err(de::Error::invalid_type(unexpected(found), expected))
}

fn unexpected(value: &Value) -> Unexpected<'_> {
    match value {
        Value::Null => Unexpected::Unit,
        Value::Bool(bool) => Unexpected::Bool(*bool),
        Value::Number(_) => Unexpected::Float(0.0), // only its kind is shown
        Value::String(_) => Unexpected::Str(""),
        Value::Array(_) => Unexpected::Seq,
        Value::Object(_) => Unexpected::Map,
    }
}

/// Implements a method for one kind of value.
macro_rules! answer {
    ($($asked:ident: $pattern:pat => $visit:ident($given:expr);)*) => {$(
        fn $asked<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Mismatch> {
            match self.value {
                $pattern => visitor.$visit($given),
                other => refuse(&other, &visitor),
            }
        }
    )*};
}

impl<'de> Deserializer<'de> for Node {
    type Error = Mismatch;

    fn deserialize_any<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Mismatch> {
        match self.value {
            Value::Null => visitor.visit_unit(),
            Value::Bool(bool) => visitor.visit_bool(bool),
            Value::Number(_) => self.deserialize_f64(visitor),
            Value::String(text) => visitor.visit_string(text),
            Value::Array(_) => self.deserialize_seq(visitor),
            Value::Object(_) => self.deserialize_map(visitor),
        }
    }

    answer! {
        deserialize_bool: Value::Bool(bool) => visit_bool(bool);
        deserialize_string: Value::String(text) => visit_string(text);
    }

    fn deserialize_map<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Mismatch> {
        let Node { value, strict } = self;
        let Value::Object(object) = value else { return refuse(&value, &visitor) };
        visitor.visit_map(Members { members: object.into_iter(), current: None, strict })
    }

    fn deserialize_u64<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Mismatch> {
        self.deserialize_f64(visitor)
    }

    fn deserialize_f64<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Mismatch> {
        match self.value {
            Value::Number(Number::Unsigned(unsigned)) => visitor.visit_u64(unsigned),
            Value::Number(Number::Signed(signed)) => visitor.visit_i64(signed),
            Value::Number(Number::Float(float)) => visitor.visit_f64(float),
            other => refuse(&other, &visitor),
        }
    }

    fn deserialize_seq<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Mismatch> {
        let Node { value, strict } = self;
        let Value::Array(items) = value else { return refuse(&value, &visitor) };
        let mut elements = Elements { items: items.into_iter(), next: 0, strict };
        let value = visitor.visit_seq(&mut elements)?;
        match elements.items.len() {
            0 => Ok(value),
            _ => Err(Mismatch::new("the array has too many elements")),
        }
    }

    fn deserialize_option<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Mismatch> {
        match self.value {
            Value::Null => visitor.visit_none(),
            _ => visitor.visit_some(self),
        }
    }

    fn deserialize_newtype_struct<V: Visitor<'de>>(
        self,
        _: &'static str,
        visitor: V,
    ) -> Result<V::Value, Mismatch> {
        visitor.visit_newtype_struct(self)
    }

    /// Passes the members in the order of the fields, which needs less code per struct than finding
    /// the field of every member.
    fn deserialize_struct<V: Visitor<'de>>(
        self,
        _: &'static str,
        fields: &'static [&'static str],
        visitor: V,
    ) -> Result<V::Value, Mismatch> {
        visitor.visit_seq(Fields::new(self, fields)?)
    }

    fn deserialize_enum<V: Visitor<'de>>(
        self,
        _: &'static str,
        _: &'static [&'static str],
        visitor: V,
    ) -> Result<V::Value, Mismatch> {
        let strict = self.strict;
        match self.value {
            Value::String(name) => visitor.visit_enum(Variant { name, content: None, strict }),
            Value::Object(object) if object.len() == 1 => {
                let Some((name, content)) = object.into_iter().next() else {
                    return Err(Mismatch::new("this must be an object with one member"));
                };
                visitor.visit_enum(Variant { name, content: Some(content), strict })
            }
            other => Err(Mismatch::new(format!(
                "this must be a string or an object with one member, not {}",
                other.kind()
            ))),
        }
    }

    forward_to_deserialize_any! {
        i8 i16 i32 i64 i128 u8 u16 u32 u128 f32 char str bytes byte_buf unit unit_struct
        tuple tuple_struct identifier ignored_any
    }
}

/// The members of an object, in the order of a struct's fields.
struct Fields {
    object: Object,
    fields: &'static [&'static str],
    next: usize,
    strict: bool,
}

impl Fields {
    fn new(node: Node, fields: &'static [&'static str]) -> Result<Fields, Mismatch> {
        let Node { value, strict } = node;
        let Value::Object(object) = value else {
            let found = value.kind();
            return Err(Mismatch::new(format!("this must be an object, not {found}")));
        };
        if strict && let Some((name, _)) = object.iter().find(|(name, _)| !fields.contains(name)) {
            let unknown: Mismatch = de::Error::unknown_field(name, fields);
            return Err(unknown.below(name.into()));
        }
        Ok(Fields { object, fields, next: 0, strict })
    }

    /// The name of the next field, and its value if there is one.
    fn take(&mut self) -> Option<(&'static str, Option<Value>)> {
        let name = *self.fields.get(self.next)?;
        self.next += 1;
        Some((name, self.object.remove(name)))
    }
}

impl<'de> SeqAccess<'de> for Fields {
    type Error = Mismatch;

    fn next_element_seed<T: DeserializeSeed<'de>>(
        &mut self,
        seed: T,
    ) -> Result<Option<T::Value>, Mismatch> {
        let strict = self.strict;
        match self.take() {
            None => Ok(None),
            Some((name, Some(value))) => seed
                .deserialize(Node { value, strict })
                .map(Some)
                .map_err(|mismatch| mismatch.below(name.into())),
            Some((name, None)) => seed.deserialize(Missing(name)).map(Some),
        }
    }
}

/// A missing member: nothing, if that is allowed.
struct Missing(&'static str);

impl<'de> Deserializer<'de> for Missing {
    type Error = Mismatch;

    fn deserialize_any<V: Visitor<'de>>(self, _: V) -> Result<V::Value, Mismatch> {
        Err(de::Error::missing_field(self.0))
    }

    fn deserialize_option<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Mismatch> {
        visitor.visit_none()
    }

    fn deserialize_ignored_any<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Mismatch> {
        visitor.visit_unit()
    }

    /// For types that distinguish a missing member from null; for others a missing member is an
    /// error.
    fn deserialize_newtype_struct<V: Visitor<'de>>(
        self,
        _: &'static str,
        visitor: V,
    ) -> Result<V::Value, Mismatch> {
        visitor.visit_none().map_err(|_: Mismatch| de::Error::missing_field(self.0))
    }

    forward_to_deserialize_any! {
        bool i8 i16 i32 i64 i128 u8 u16 u32 u64 u128 f32 f64 char str string bytes byte_buf unit
        unit_struct seq tuple tuple_struct map struct enum identifier
    }
}

struct Elements {
    items: alloc::vec::IntoIter<Value>,
    next: usize,
    strict: bool,
}

impl<'de> SeqAccess<'de> for Elements {
    type Error = Mismatch;

    fn next_element_seed<T: DeserializeSeed<'de>>(
        &mut self,
        seed: T,
    ) -> Result<Option<T::Value>, Mismatch> {
        let Some(item) = self.items.next() else { return Ok(None) };
        let index = self.next;
        self.next += 1;
        seed.deserialize(Node { value: item, strict: self.strict })
            .map(Some)
            .map_err(|mismatch| mismatch.below(format!("{index}")))
    }

    fn size_hint(&self) -> Option<usize> {
        Some(self.items.len())
    }
}

struct Members {
    members: alloc::vec::IntoIter<(String, Value)>,
    current: Option<(String, Value)>,
    strict: bool,
}

impl<'de> MapAccess<'de> for Members {
    type Error = Mismatch;

    fn next_key_seed<K: DeserializeSeed<'de>>(
        &mut self,
        seed: K,
    ) -> Result<Option<K::Value>, Mismatch> {
        let Some((name, value)) = self.members.next() else { return Ok(None) };
        let key = seed
            .deserialize(name.as_str().into_deserializer())
            .map_err(|mismatch: Mismatch| mismatch.below(name.clone()))?;
        self.current = Some((name, value));
        Ok(Some(key))
    }

    fn next_value_seed<T: DeserializeSeed<'de>>(&mut self, seed: T) -> Result<T::Value, Mismatch> {
        match self.current.take() {
            Some((name, value)) => {
                let node = Node { value, strict: self.strict };
                seed.deserialize(node).map_err(|mismatch| mismatch.below(name))
            }
            None => Err(Mismatch::new("a value was requested before its name")),
        }
    }

    fn size_hint(&self) -> Option<usize> {
        Some(self.members.len())
    }
}

struct Variant {
    name: String,
    content: Option<Value>,
    strict: bool,
}

impl<'de> EnumAccess<'de> for Variant {
    type Error = Mismatch;
    type Variant = VariantContent;

    fn variant_seed<S: DeserializeSeed<'de>>(
        self,
        seed: S,
    ) -> Result<(S::Value, VariantContent), Mismatch> {
        let variant = seed.deserialize(self.name.as_str().into_deserializer())?;
        let Variant { name, content, strict } = self;
        Ok((variant, VariantContent { name, content, strict }))
    }
}

struct VariantContent {
    name: String,
    content: Option<Value>,
    strict: bool,
}

impl VariantContent {
    fn content(self) -> Result<(String, Node), Mismatch> {
        match self.content {
            Some(value) => Ok((self.name, Node { value, strict: self.strict })),
            None => Err(Mismatch::new("this must be an object with one member, not a string")),
        }
    }
}

impl<'de> VariantAccess<'de> for VariantContent {
    type Error = Mismatch;

    fn unit_variant(self) -> Result<(), Mismatch> {
        match self.content {
            None => Ok(()),
            Some(_) => Err(Mismatch::new("this must be a string, not an object")),
        }
    }

    fn newtype_variant_seed<T: DeserializeSeed<'de>>(self, seed: T) -> Result<T::Value, Mismatch> {
        let (name, content) = self.content()?;
        seed.deserialize(content).map_err(|mismatch| mismatch.below(name))
    }

    fn tuple_variant<V: Visitor<'de>>(
        self,
        length: usize,
        visitor: V,
    ) -> Result<V::Value, Mismatch> {
        let (name, content) = self.content()?;
        content.deserialize_tuple(length, visitor).map_err(|mismatch| mismatch.below(name))
    }

    fn struct_variant<V: Visitor<'de>>(
        self,
        fields: &'static [&'static str],
        visitor: V,
    ) -> Result<V::Value, Mismatch> {
        let (name, content) = self.content()?;
        content.deserialize_struct("", fields, visitor).map_err(|mismatch| mismatch.below(name))
    }
}

struct ValueVisitor;

impl<'de> Visitor<'de> for ValueVisitor {
    type Value = Value;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a JSON value")
    }

    fn visit_unit<E>(self) -> Result<Value, E> {
        Ok(Value::Null)
    }

    fn visit_none<E>(self) -> Result<Value, E> {
        Ok(Value::Null)
    }

    fn visit_some<D: Deserializer<'de>>(self, deserializer: D) -> Result<Value, D::Error> {
        Value::deserialize(deserializer)
    }

    fn visit_newtype_struct<D: Deserializer<'de>>(
        self,
        deserializer: D,
    ) -> Result<Value, D::Error> {
        Value::deserialize(deserializer)
    }

    fn visit_bool<E>(self, bool: bool) -> Result<Value, E> {
        Ok(bool.into())
    }

    fn visit_i64<E>(self, signed: i64) -> Result<Value, E> {
        Ok(signed.into())
    }

    fn visit_u64<E>(self, unsigned: u64) -> Result<Value, E> {
        Ok(unsigned.into())
    }

    fn visit_f64<E: de::Error>(self, float: f64) -> Result<Value, E> {
        Number::from_f64(float)
            .map(Value::Number)
            .ok_or_else(|| E::custom("a number must be finite"))
    }

    fn visit_str<E>(self, text: &str) -> Result<Value, E> {
        Ok(text.into())
    }

    fn visit_string<E>(self, text: String) -> Result<Value, E> {
        Ok(text.into())
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut elements: A) -> Result<Value, A::Error> {
        let mut items = Vec::new();
        while let Some(item) = elements.next_element()? {
            items.push(item);
        }
        Ok(Value::Array(items))
    }

    fn visit_map<A: MapAccess<'de>>(self, members: A) -> Result<Value, A::Error> {
        ObjectVisitor.visit_map(members).map(Value::Object)
    }
}

struct ObjectVisitor;

impl<'de> Visitor<'de> for ObjectVisitor {
    type Value = Object;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("an object")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut access: A) -> Result<Object, A::Error> {
        let mut members = Vec::new();
        while let Some(member) = access.next_entry()? {
            members.push(member);
        }
        Object::from_unsorted(members)
            .map_err(|_| de::Error::custom("an object must not have the same member twice"))
    }
}
