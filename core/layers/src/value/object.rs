//! Objects: members in a vector sorted by name, so that printing and merging are linear walks.

use alloc::{string::String, vec::Vec};
use core::cmp::Ordering;

use super::Value;
use crate::sort::sort_by;

/// The members of an object, sorted by name in UTF-16 code units (RFC 8785 §3.2.3).
///
/// ```
/// use nacre_layers::value::{Object, Value};
///
/// let mut object = Object::new();
/// object.insert("b", Value::Null);
/// object.insert("a", true.into());
/// let names: Vec<&str> = object.iter().map(|(name, _)| name).collect();
/// assert_eq!(names, ["a", "b"]);
/// ```
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Object {
    members: Vec<(String, Value)>,
}

impl Object {
    /// An object without members.
    pub const fn new() -> Object {
        Object { members: Vec::new() }
    }

    /// Makes an object of members in any order; linear time if they are already sorted.
    ///
    /// # Errors
    /// The repeated name.
    pub fn from_unsorted(mut members: Vec<(String, Value)>) -> Result<Object, String> {
        let sorted = |members: &[(String, Value)]| {
            members.is_sorted_by(|(a, _), (b, _)| compare_names(a, b).is_lt())
        };
        if !sorted(&members) {
            sort_by(&mut members, |(a, _), (b, _)| compare_names(a, b));
            let twice = members.windows(2).find_map(|pair| match pair {
                [(a, _), (b, _)] if a == b => Some(a.clone()),
                _ => None,
            });
            if let Some(name) = twice {
                return Err(name);
            }
        }
        Ok(Object { members })
    }

    /// Makes an object of members that are sorted, each name once.
    pub(crate) fn from_sorted(members: Vec<(String, Value)>) -> Object {
        debug_assert!(members.is_sorted_by(|(a, _), (b, _)| compare_names(a, b).is_lt()));
        Object { members }
    }

    /// Appends a member whose name sorts after all others.
    ///
    /// # Errors
    /// The member itself if its name does not.
    pub fn try_push_sorted(&mut self, name: String, value: Value) -> Result<(), (String, Value)> {
        match self.members.last() {
            Some((last, _)) if compare_names(last, &name).is_ge() => Err((name, value)),
            _ => {
                self.members.push((name, value));
                Ok(())
            }
        }
    }

    /// Sets a member and returns the value it had.
    pub fn insert(&mut self, name: impl Into<String>, value: Value) -> Option<Value> {
        let name = name.into();
        match self.position(&name) {
            Ok(at) => self.members.get_mut(at).map(|(_, old)| core::mem::replace(old, value)),
            Err(at) => {
                self.members.insert(at, (name, value));
                None
            }
        }
    }

    /// Removes a member and returns its value.
    pub fn remove(&mut self, name: &str) -> Option<Value> {
        self.position(name).ok().map(|at| self.members.remove(at).1)
    }

    /// Keeps the members for which `keep` is true.
    pub fn retain(&mut self, mut keep: impl FnMut(&str, &Value) -> bool) {
        self.members.retain(|(name, value)| keep(name, value));
    }

    /// The value of a member, to change it; created by `default` if it is missing.
    pub fn get_or_insert_with(
        &mut self,
        name: &str,
        default: impl FnOnce() -> Value,
    ) -> &mut Value {
        let at = self.position(name).unwrap_or_else(|at| {
            self.members.insert(at, (name.into(), default()));
            at
        });
        #[expect(clippy::indexing_slicing, reason = "`at` was found or filled just above")]
        &mut self.members[at].1
    }

    /// The members, to change their values but not their names.
    pub fn iter_mut(&mut self) -> impl ExactSizeIterator<Item = (&str, &mut Value)> {
        self.members.iter_mut().map(|(name, value)| (name.as_str(), value))
    }

    /// The value of a member, to change it.
    pub fn get_mut(&mut self, name: &str) -> Option<&mut Value> {
        let at = self.position(name).ok()?;
        self.members.get_mut(at).map(|(_, value)| value)
    }

    /// The value of a member.
    pub fn get(&self, name: &str) -> Option<&Value> {
        let at = self.position(name).ok()?;
        self.members.get(at).map(|(_, value)| value)
    }

    /// Whether the object has this member.
    pub fn contains(&self, name: &str) -> bool {
        self.position(name).is_ok()
    }

    /// The members in order.
    pub fn iter(&self) -> impl ExactSizeIterator<Item = (&str, &Value)> + DoubleEndedIterator {
        self.members.iter().map(|(name, value)| (name.as_str(), value))
    }

    /// The number of members.
    pub fn len(&self) -> usize {
        self.members.len()
    }

    /// Whether the object is empty.
    pub fn is_empty(&self) -> bool {
        self.members.is_empty()
    }

    /// The position of a member: `Ok` if it exists, `Err` with its place otherwise.
    pub(crate) fn position(&self, name: &str) -> Result<usize, usize> {
        self.members.binary_search_by(|(other, _)| compare_names(other, name))
    }
}

impl IntoIterator for Object {
    type Item = (String, Value);
    type IntoIter = alloc::vec::IntoIter<(String, Value)>;

    fn into_iter(self) -> Self::IntoIter {
        self.members.into_iter()
    }
}

/// The order of member names: by UTF-16 code units, as ECMAScript compares strings.
///
/// Works on the UTF-8 bytes. Both orders agree except that UTF-16 puts everything past U+FFFF
/// (surrogates, D800–DFFF) before U+E000–U+FFFF. In UTF-8 the former begin with F0–F4 and the
/// latter with EE–EF, and no other byte is that large.
///
/// ```
/// use nacre_layers::value::compare_names;
///
/// // UTF-16 puts characters beyond U+FFFF before U+E000 to U+FFFF.
/// assert!(compare_names("\u{1f600}", "\u{fb33}").is_lt());
/// ```
pub fn compare_names(a: &str, b: &str) -> Ordering {
    for (a, b) in a.bytes().zip(b.bytes()) {
        if a != b {
            let flip = a >= 0xEE && b >= 0xEE && (a >= 0xF0) != (b >= 0xF0);
            return if flip { b.cmp(&a) } else { a.cmp(&b) };
        }
    }
    a.len().cmp(&b.len())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_sort_by_utf16() {
        let names = [
            "",
            "a",
            "aa",
            "b",
            "\u{7ff}",
            "\u{d7ff}",
            "\u{e000}",
            "\u{ffff}",
            "\u{10000}",
            "\u{10ffff}",
            "a\u{e000}",
            "a\u{10000}",
            "\u{ee00}",
            "\u{f000}",
        ];
        for a in names {
            for b in names {
                assert_eq!(compare_names(a, b), a.encode_utf16().cmp(b.encode_utf16()), "{a} {b}");
            }
        }
    }

    #[test]
    fn members_stay_sorted_and_single() {
        let mut object = Object::new();
        assert_eq!(object.insert("b", Value::Null), None);
        assert_eq!(object.insert("a", true.into()), None);
        assert_eq!(object.insert("b", false.into()), Some(Value::Null));
        assert!(object.iter().map(|(name, _)| name).eq(["a", "b"]));
        assert_eq!(*object.get_or_insert_with("c", || 1u64.into()), 1u64.into());
        assert_eq!(object.remove("a"), Some(true.into()));
        assert_eq!(object.remove("a"), None);
        assert!(object.try_push_sorted("c".into(), Value::Null).is_err());
        assert!(object.try_push_sorted("d".into(), Value::Null).is_ok());
        let twice = alloc::vec![("x".into(), Value::Null), ("x".into(), Value::Null)];
        assert_eq!(Object::from_unsorted(twice), Err("x".into()));
    }
}
