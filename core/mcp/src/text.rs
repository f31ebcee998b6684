//! A canonical JSON text in parts, without building its values: a view may be a hundred times as long as
//! what of it fits into an answer, and building all of it takes longer than making the view.

use alloc::{borrow::Cow, string::String, vec::Vec};

use nacre_layers::{json, value::Value};

/// What a text consists of.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Parts<'t> {
    /// An object's members: their names, and the texts of their values.
    Members(Vec<(Cow<'t, str>, &'t str)>),
    /// The texts of an array's items.
    Items(Vec<&'t str>),
    /// A value without parts.
    None,
}

/// The parts of a canonical text. Of other texts it gives some parts, and does not fail.
pub(crate) fn parts(text: &str) -> Parts<'_> {
    match text.as_bytes().first() {
        Some(b'{') => {
            let mut members = Vec::new();
            let mut rest = text.get(1..).unwrap_or_default();
            while rest.starts_with('"') {
                let (name, behind) = cut(rest);
                let (value, behind) = cut(behind.strip_prefix(':').unwrap_or_default());
                members.push((named(name), value));
                rest = behind.strip_prefix(',').unwrap_or_default();
            }
            Parts::Members(members)
        }
        Some(b'[') => {
            let mut items = Vec::new();
            let mut rest = text.get(1..).unwrap_or_default();
            while !rest.is_empty() && !rest.starts_with(']') {
                let (item, behind) = cut(rest);
                items.push(item);
                rest = behind.strip_prefix(',').unwrap_or_default();
            }
            Parts::Items(items)
        }
        _ => Parts::None,
    }
}

/// The value of a text.
pub(crate) fn value(text: &str) -> Value {
    json::read(text.as_bytes(), usize::MAX).unwrap_or(Value::Null)
}

/// The name that a text in quotes is.
fn named(text: &str) -> Cow<'_, str> {
    if !text.contains('\\') {
        return Cow::Borrowed(text.trim_matches('"'));
    }
    match value(text) {
        Value::String(name) => Cow::Owned(name),
        _ => Cow::Owned(String::new()),
    }
}

/// The value that a text begins with, and what stands behind it.
fn cut(text: &str) -> (&str, &str) {
    text.split_at_checked(end(text.as_bytes())).unwrap_or((text, ""))
}

/// Where the value ends that some bytes begin with.
fn end(bytes: &[u8]) -> usize {
    let (mut depth, mut in_text, mut is_escaped) = (0_usize, false, false);
    for (at, byte) in bytes.iter().enumerate() {
        if in_text {
            match byte {
                _ if is_escaped => is_escaped = false,
                b'\\' => is_escaped = true,
                b'"' => {
                    in_text = false;
                    if depth == 0 {
                        return at + 1;
                    }
                }
                _ => {}
            }
            continue;
        }
        match byte {
            b'"' => in_text = true,
            b'{' | b'[' => depth += 1,
            b'}' | b']' if depth > 1 => depth -= 1,
            b'}' | b']' if depth == 1 => return at + 1,
            // The end of what it stands in.
            b',' | b']' | b'}' if depth == 0 => return at,
            _ => {}
        }
    }
    bytes.len()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::arguments::text_of;
    use alloc::vec;

    #[test]
    fn a_text_falls_into_its_parts() {
        let text = r#"{"a":[1,{"b":"]}"}],"c\"d":"\\\"","e":-1.5,"f":{},"g":null}"#;
        let Parts::Members(members) = parts(text) else { panic!("an object") };
        let texts: Vec<(&str, &str)> =
            members.iter().map(|(name, text)| (name.as_ref(), *text)).collect();
        let expected = [
            ("a", r#"[1,{"b":"]}"}]"#),
            ("c\"d", r#""\\\"""#),
            ("e", "-1.5"),
            ("f", "{}"),
            ("g", "null"),
        ];
        assert_eq!(texts, expected);
        assert_eq!(parts(members[0].1), Parts::Items(vec!["1", r#"{"b":"]}"}"#]));
        for (_, text) in members {
            assert_eq!(text_of(&value(text)), text);
        }
        assert_eq!(parts("[]"), Parts::Items(vec![]));
        assert_eq!(parts("{}"), Parts::Members(vec![]));
        assert_eq!(parts("\"[1]\""), Parts::None);
    }

    #[test]
    fn texts_that_are_none_do_not_break_it() {
        for text in [
            "", "{", "[", "{\"", "{\"a", "{\"a\"", "{\"a\":", "[1", "[,", "{,}", "]", "[\"\\",
            "[1]2",
        ] {
            parts(text);
        }
        assert_eq!(value("{"), Value::Null);
    }
}
