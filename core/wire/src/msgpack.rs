//! Reading and writing MessagePack, for what has a form in JSON.
//!
//! Maps have string keys, each once; binary, extension and timestamp values, NaN and the
//! infinities are refused. A float that is a 64-bit integer becomes that integer, as in JSON.

use alloc::{format, string::String, vec::Vec};

use rmp::{
    Marker,
    decode::{self, Bytes},
    encode::{self, ByteBuf},
};

use nacre_layers::{
    error::{Code, Error, Result},
    number::Number,
    value::{Builder, Value},
};

/// Reads one value that nests at most `max_depth` arrays and maps.
///
/// # Errors
/// `invalid-json` with the byte offset, `too-deep`, or `too-large` for more than
/// [`limits::VALUES`](nacre_store::limits::VALUES) values. No detail quotes the input.
pub fn read(bytes: &[u8], max_depth: usize) -> Result<Value> {
    let mut reader = Reader {
        input: Bytes::new(bytes),
        bytes: bytes.len(),
        builder: Builder::new(max_depth),
        left: Vec::new(),
    };
    let value = reader.value()?;
    if reader.input.remaining_slice().is_empty() {
        Ok(value)
    } else {
        Err(reader.refuse("nothing may follow the value"))
    }
}

/// The value in MessagePack: shortest integers and lengths, doubles for all other numbers, maps in
/// canonical order.
pub fn write(value: &Value) -> Vec<u8> {
    let mut out = ByteBuf::new();
    write_to(value, &mut out);
    out.into_vec()
}

/// Writing into memory cannot fail, and rmp's error has no value to show for it.
fn write_to(value: &Value, out: &mut ByteBuf) {
    match value {
        Value::Null => _ = encode::write_nil(out),
        Value::Bool(bool) => _ = encode::write_bool(out, *bool),
        Value::Number(Number::Unsigned(unsigned)) => _ = encode::write_uint(out, *unsigned),
        Value::Number(Number::Signed(signed)) => _ = encode::write_sint(out, *signed),
        Value::Number(Number::Float(float)) => _ = encode::write_f64(out, *float),
        Value::String(text) => _ = encode::write_str(out, text),
        Value::Array(items) => {
            _ = encode::write_array_len(out, length(items.len()));
            for item in items {
                write_to(item, out);
            }
        }
        Value::Object(object) => {
            _ = encode::write_map_len(out, length(object.len()));
            for (name, value) in object.iter() {
                _ = encode::write_str(out, name);
                write_to(value, out);
            }
        }
    }
}

/// MessagePack counts in 32 bits; no value that any limit lets in comes near.
fn length(length: usize) -> u32 {
    u32::try_from(length).unwrap_or(u32::MAX)
}

struct Reader<'a> {
    input: Bytes<'a>,
    bytes: usize,
    builder: Builder,
    /// How many values each open array or map still wants.
    left: Vec<u32>,
}

impl Reader<'_> {
    /// Reads one value; whatever is open lives on the builder's stack.
    fn value(&mut self) -> Result<Value> {
        loop {
            let mut ended = self.begin()?;
            while let Some(whole) = ended {
                if let Some(whole) = whole {
                    return Ok(whole);
                }
                ended = self.next()?;
            }
        }
    }

    /// Reads a scalar, or the beginning of an array or map up to its first value: `None` when a
    /// value has to follow, `Some` when one has ended, with the whole if that was it.
    fn begin(&mut self) -> Result<Option<Option<Value>>> {
        let Some(first) = self.input.remaining_slice().first() else {
            return Err(self.ended());
        };
        let value = match Marker::from_u8(*first) {
            Marker::Null => {
                self.skip(1)?;
                Value::Null
            }
            Marker::True => {
                self.skip(1)?;
                true.into()
            }
            Marker::False => {
                self.skip(1)?;
                false.into()
            }
            Marker::FixPos(_) | Marker::U8 | Marker::U16 | Marker::U32 | Marker::U64 => {
                let unsigned: u64 = decode::read_int(&mut self.input).map_err(|_| self.ended())?;
                unsigned.into()
            }
            Marker::FixNeg(_) | Marker::I8 | Marker::I16 | Marker::I32 | Marker::I64 => {
                let signed: i64 = decode::read_int(&mut self.input).map_err(|_| self.ended())?;
                signed.into()
            }
            Marker::F32 => {
                let float = decode::read_f32(&mut self.input).map_err(|_| self.ended())?;
                self.float(float.into())?
            }
            Marker::F64 => {
                let float = decode::read_f64(&mut self.input).map_err(|_| self.ended())?;
                self.float(float)?
            }
            Marker::FixStr(_) | Marker::Str8 | Marker::Str16 | Marker::Str32 => {
                self.string()?.into()
            }
            Marker::FixArray(_) | Marker::Array16 | Marker::Array32 => {
                let length = decode::read_array_len(&mut self.input).map_err(|_| self.ended())?;
                return self.open(length, Builder::open_array);
            }
            Marker::FixMap(_) | Marker::Map16 | Marker::Map32 => {
                let length = decode::read_map_len(&mut self.input).map_err(|_| self.ended())?;
                return self.open(length, Builder::open_object);
            }
            Marker::Bin8 | Marker::Bin16 | Marker::Bin32 => {
                return Err(self.refuse("binary has no form in JSON"));
            }
            Marker::FixExt1
            | Marker::FixExt2
            | Marker::FixExt4
            | Marker::FixExt8
            | Marker::FixExt16
            | Marker::Ext8
            | Marker::Ext16
            | Marker::Ext32 => {
                return Err(self.refuse("extension types and timestamps have no form in JSON"));
            }
            Marker::Reserved => return Err(self.refuse("this byte begins no value")),
        };
        let whole = self.builder.add(value).map_err(|error| self.locate(error))?;
        Ok(Some(whole))
    }

    /// Goes on after a value inside an array or map; the same answers as [`Self::begin`].
    fn next(&mut self) -> Result<Option<Option<Value>>> {
        match self.left.last_mut() {
            Some(left) if *left > 1 => {
                *left -= 1;
                self.name()?;
                Ok(None)
            }
            _ => {
                self.left.pop();
                self.close()
            }
        }
    }

    fn open(
        &mut self,
        length: u32,
        open: fn(&mut Builder, usize) -> Result<()>,
    ) -> Result<Option<Option<Value>>> {
        // A declared length is only a claim: room grows with what is really there.
        let capacity = length.min(64) as usize;
        open(&mut self.builder, capacity).map_err(|error| self.locate(error))?;
        if length == 0 {
            return self.close();
        }
        self.left.push(length);
        self.name()?;
        Ok(None)
    }

    fn close(&mut self) -> Result<Option<Option<Value>>> {
        self.builder.close().map(Some).map_err(|error| self.locate(error))
    }

    /// The key before a value, if the value stands in a map.
    fn name(&mut self) -> Result<()> {
        if self.builder.in_object() {
            let name = self.string()?;
            self.builder.name(name);
        }
        Ok(())
    }

    fn string(&mut self) -> Result<String> {
        let rest = self.input.remaining_slice();
        let marker = rest.first().map(|first| Marker::from_u8(*first));
        let is_string = matches!(
            marker,
            None | Some(Marker::FixStr(_) | Marker::Str8 | Marker::Str16 | Marker::Str32)
        );
        if !is_string {
            return Err(self.refuse("the key of a map must be a string"));
        }
        let length = decode::read_str_len(&mut self.input).map_err(|_| self.ended())?;
        let bytes = self.take(length as usize)?;
        match core::str::from_utf8(bytes) {
            Ok(text) => Ok(text.into()),
            Err(_) => Err(self.refuse("the string is not UTF-8")),
        }
    }

    fn float(&self, float: f64) -> Result<Value> {
        let number = Number::from_f64(float)
            .ok_or_else(|| self.refuse("NaN and the infinities have no form in JSON"))?;
        Ok(number.into())
    }

    fn skip(&mut self, count: usize) -> Result<()> {
        self.take(count).map(drop)
    }

    fn take(&mut self, count: usize) -> Result<&[u8]> {
        let Some((taken, rest)) = self.input.remaining_slice().split_at_checked(count) else {
            return Err(self.ended());
        };
        self.input = Bytes::new(rest);
        Ok(taken)
    }

    fn ended(&self) -> Error {
        self.refuse("the input ends within a value")
    }

    fn refuse(&self, detail: &str) -> Error {
        Error::new(Code::InvalidJson, format!("{detail}, at byte {}", self.offset()))
    }

    fn locate(&self, error: Error) -> Error {
        error.reworded(|detail| format!("{detail}, at byte {}", self.offset()))
    }

    fn offset(&self) -> usize {
        self.bytes - self.input.remaining_slice().len()
    }
}
