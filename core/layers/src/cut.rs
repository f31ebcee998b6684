//! Finds one part of a canonical text by its pointer, without indexing the rest.

use crate::{
    name::Name,
    pointer::{self, Pointer},
    value::SEALED,
};

/// The text of the value at a pointer; `None` if there is none, or if the pointer leads into the
/// marker of a sealed value. `text` is canonical JSON.
pub fn cut<'t>(text: &'t [u8], pointer: &Pointer) -> Option<&'t [u8]> {
    let mut rest = text;
    for token in pointer.tokens() {
        rest = match rest.first()? {
            b'{' if token != SEALED => member(rest, &Name::encode(&token).text)?,
            b'[' => item(rest, pointer::index(&token)?)?,
            _ => return None,
        };
    }
    rest.get(..length(rest)?)
}

/// The text after the colon of a member; `text` starts with its object.
fn member<'t>(object: &'t [u8], name: &[u8]) -> Option<&'t [u8]> {
    let mut rest = object.get(1..)?;
    loop {
        let end = string_length(rest)?;
        let found = rest.get(1..end - 1)?;
        rest = rest.get(end + 1..)?;
        if found == name {
            return Some(rest);
        }
        rest = next(rest)?;
    }
}

/// The text from the item at `index` of an array on.
fn item(array: &[u8], index: usize) -> Option<&[u8]> {
    let mut rest = array.get(1..)?;
    if rest.first() == Some(&b']') {
        return None;
    }
    for _ in 0..index {
        rest = next(rest)?;
    }
    Some(rest)
}

/// The text after the comma that follows a value.
fn next(value: &[u8]) -> Option<&[u8]> {
    let rest = value.get(length(value)?..)?;
    rest.strip_prefix(b",")
}

/// The length of the value at the start of a text.
fn length(text: &[u8]) -> Option<usize> {
    match text.first()? {
        b'"' => string_length(text),
        b'{' | b'[' => {
            let (mut at, mut open) = (0, 0u32);
            loop {
                match text.get(at)? {
                    b'"' => {
                        at += string_length(text.get(at..)?)?;
                        continue;
                    }
                    b'{' | b'[' => open += 1,
                    b'}' | b']' => {
                        open -= 1;
                        if open == 0 {
                            return Some(at + 1);
                        }
                    }
                    _ => {}
                }
                at += 1;
            }
        }
        _ => {
            let ends = |byte: &u8| matches!(byte, b',' | b'}' | b']');
            Some(text.iter().position(ends).unwrap_or(text.len()))
        }
    }
}

/// The length of the string at the start of a text, including the quotes.
fn string_length(text: &[u8]) -> Option<usize> {
    let mut at = 1;
    text.first().filter(|byte| **byte == b'"')?;
    loop {
        match text.get(at)? {
            b'"' => return Some(at + 1),
            b'\\' => at += 2,
            _ => at += 1,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(pointer: &str, part: Option<&str>) {
        let text = br#"{"":0,"a\"b":[1,{"x":"},]"},[]],"n":null,"s":{"$sealed":"f1.x"},"z":{}}"#;
        let found = cut(text, &Pointer::parse(pointer).unwrap());
        assert_eq!(found.map(|text| core::str::from_utf8(text).unwrap()), part, "{pointer}");
    }

    #[test]
    fn every_part_can_be_cut_out() {
        check("/", Some("0"));
        check("/a\"b", Some(r#"[1,{"x":"},]"},[]]"#));
        check("/a\"b/0", Some("1"));
        check("/a\"b/1/x", Some(r#""},]""#));
        check("/a\"b/2", Some("[]"));
        check("/n", Some("null"));
        check("/s", Some(r#"{"$sealed":"f1.x"}"#));
        check("/z", Some("{}"));
    }

    #[test]
    fn what_is_not_there_is_nothing() {
        for pointer in ["/b", "/a\"b/3", "/a\"b/-", "/a\"b/2/0", "/z/a", "/n/a", "/s/$sealed"] {
            check(pointer, None);
        }
    }
}
