//! The difference between two layers as a JSON Patch (RFC 6902).
//!
//! Both sides are walked together. Subtrees and groups of members with equal hashes are skipped, so
//! the cost depends on what differs. Objects are compared member by member; arrays between their
//! common start and their common end.
//!
//! **A patch is hardly larger than its result.** Where a patch by members would be longer than the
//! new object or array, or would shift more than that when applied, the whole is replaced. So every
//! patch fits a row, and can be applied within the bounds of [`JsonPatch::apply`].

use alloc::vec::Vec;
use core::cmp::Ordering;

use crate::{
    error::{Error, Result},
    hash::Group,
    json,
    layer::{Container, Content, Layer, Member},
    limits, name,
    patch::{JsonPatch, Operation},
    pointer::Pointer,
    value::Value,
};

/// How many bytes a patch may have beyond its result, so that small documents are always compared
/// member by member.
const SLACK: usize = 4096;

/// The size of an operation without its path and value, in bytes of JSON.
const OPERATION: usize = 32;

/// How many shifted members or items count as one byte.
const SHIFTED: usize = 16;

/// The patch that turns `from` into `to`.
///
/// ```
/// use nacre_layers::{diff::diff, json, layer::Layer};
///
/// let layer = |text: &str| Layer::from_value(&json::read(text.as_bytes(), 64)?);
/// let patch = diff(&layer(r#"{"a":1,"b":[1,2]}"#)?, &layer(r#"{"a":1,"b":[1,2,3]}"#)?)?;
/// assert_eq!(json::write(&patch.to_value()), br#"[{"op":"add","path":"/b/2","value":3}]"#);
/// # Ok::<(), nacre_layers::error::Error>(())
/// ```
///
/// # Errors
/// None for layers made by [`Layer`]'s constructors.
pub fn diff(from: &Layer, to: &Layer) -> Result<JsonPatch> {
    let mut differ = Differ { from, to, path: Pointer::root(), operations: Vec::new(), weight: 0 };
    if from.hash() != to.hash() {
        let (old, new) = (from.container(from.root()), to.container(to.root()));
        differ.bounded(to.text(), |differ, most| differ.objects(old, new, most))?;
    }
    Ok(JsonPatch { operations: differ.operations })
}

struct Differ<'a> {
    from: &'a Layer,
    to: &'a Layer,
    path: Pointer,
    operations: Vec<Operation>,
    /// The size of the operations so far, in bytes.
    weight: usize,
}

impl<'a> Differ<'a> {
    /// Compares an object or array whose new text is `text`. `step` gets the allowed total size and
    /// returns whether it was enough; if not, its operations are dropped.
    fn bounded(
        &mut self,
        text: &[u8],
        step: impl FnOnce(&mut Self, usize) -> Result<bool>,
    ) -> Result<()> {
        let (operations, weight) = (self.operations.len(), self.weight);
        if step(self, weight + text.len() + SLACK)? {
            return Ok(());
        }
        self.operations.truncate(operations);
        self.weight = weight;
        let (path, value) = (self.path.clone(), json::read(text, limits::DEPTH)?);
        self.push(Operation::Replace { path, value }, text, 0);
        Ok(())
    }

    fn push(&mut self, operation: Operation, value: &[u8], shifted: usize) {
        let path = operation.path().as_str().len();
        self.weight += OPERATION + path + value.len() + shifted / SHIFTED;
        self.operations.push(operation);
    }

    fn objects(&mut self, from: &'a Container, to: &'a Container, most: usize) -> Result<bool> {
        let (olds, news) = (self.from.members(from), self.to.members(to));
        let plain = from.plain && to.plain;
        let (mut i, mut j) = (0, 0);
        while self.weight <= most {
            if let Some((past_old, past_new)) = self.equal_group(from, to, i, j) {
                (i, j) = (past_old, past_new);
                continue;
            }
            let order = match (olds.get(i), news.get(j)) {
                (None, None) => return Ok(self.weight <= most),
                (Some(_), None) => Ordering::Less,
                (None, Some(_)) => Ordering::Greater,
                (Some(old), Some(new)) => {
                    name::compare(self.from.name(old), self.to.name(new), plain)
                }
            };
            match (order, olds.get(i), news.get(j)) {
                (Ordering::Less, Some(old), _) => {
                    let path = self.at(self.from, old);
                    self.push(Operation::Remove { path }, b"", olds.len() - i);
                    i += 1;
                }
                (Ordering::Greater, _, Some(new)) => {
                    let path = self.at(self.to, new);
                    let value = value_of(self.to, new)?;
                    let text = self.to.value_text(new);
                    self.push(Operation::Add { path, value }, text, olds.len() - i);
                    j += 1;
                }
                (Ordering::Equal, Some(old), Some(new)) => {
                    self.path.push(&name::decode(self.to.name(new)));
                    self.values(old, new)?;
                    self.path.pop();
                    i += 1;
                    j += 1;
                }
                _ => return Err(Error::bug("a member is in neither version")),
            }
        }
        Ok(false)
    }

    /// If both objects have a group with equal hashes that starts here, the positions after it.
    fn equal_group(
        &self,
        from: &'a Container,
        to: &'a Container,
        i: usize,
        j: usize,
    ) -> Option<(usize, usize)> {
        let begins = |groups: &'a [Group], at: usize| {
            let passed = groups.partition_point(|group| (group.from as usize) < at);
            groups.iter().skip(passed).take_while(move |group| group.from as usize == at)
        };
        let olds = begins(self.from.groups(from), i);
        let news = begins(self.to.groups(to), j);
        // Both lists start at level 0; the highest equal pair skips the most.
        let equal = olds.zip(news).filter(|(old, new)| old.level == new.level);
        let (old, new) = equal.filter(|(old, new)| old.hash == new.hash).last()?;
        Some((old.to as usize, new.to as usize))
    }

    fn values(&mut self, old: &Member, new: &Member) -> Result<()> {
        match (old.content(), new.content()) {
            (Content::Object(a), Content::Object(b)) => {
                let (a, b) = (self.from.container(a), self.to.container(b));
                if a.hash == b.hash {
                    return Ok(());
                }
                let text = self.to.value_text(new);
                self.bounded(text, |differ, most| differ.objects(a, b, most))
            }
            (Content::Array(a), Content::Array(b)) => {
                let (a, b) = (self.from.container(a), self.to.container(b));
                if a.hash == b.hash {
                    return Ok(());
                }
                let text = self.to.value_text(new);
                self.bounded(text, |differ, most| differ.arrays(a, b, most))
            }
            _ if self.from.value_text(old) == self.to.value_text(new) => Ok(()),
            _ => self.replace(new),
        }
    }

    fn arrays(&mut self, from: &'a Container, to: &'a Container, most: usize) -> Result<bool> {
        let (olds, news) = (self.from.members(from), self.to.members(to));
        let equal =
            |(old, new): &(&Member, &Member)| self.from.value_text(old) == self.to.value_text(new);
        let head = olds.iter().zip(news).take_while(equal).count();
        let rest = olds.len().min(news.len()) - head;
        let tail = olds.iter().rev().zip(news.iter().rev()).take(rest).take_while(equal).count();
        let (olds, news) = (
            olds.get(head..olds.len() - tail).unwrap_or(&[]),
            news.get(head..news.len() - tail).unwrap_or(&[]),
        );
        let shared = olds.len().min(news.len());
        for (offset, (old, new)) in olds.iter().zip(news).enumerate() {
            if self.weight > most {
                return Ok(false);
            }
            self.path.push_index(head + offset);
            self.values(old, new)?;
            self.path.pop();
        }
        // From the end, so that earlier positions stay valid.
        for index in (shared..olds.len()).rev() {
            if self.weight > most {
                return Ok(false);
            }
            let mut path = self.path.clone();
            path.push_index(head + index);
            self.push(Operation::Remove { path }, b"", tail);
        }
        for (index, new) in news.iter().enumerate().skip(shared) {
            if self.weight > most {
                return Ok(false);
            }
            let mut path = self.path.clone();
            path.push_index(head + index);
            let value = value_of(self.to, new)?;
            self.push(Operation::Add { path, value }, self.to.value_text(new), tail);
        }
        Ok(self.weight <= most)
    }

    fn replace(&mut self, new: &Member) -> Result<()> {
        let value = value_of(self.to, new)?;
        let path = self.path.clone();
        self.push(Operation::Replace { path, value }, self.to.value_text(new), 0);
        Ok(())
    }

    fn at(&self, of: &Layer, member: &Member) -> Pointer {
        self.path.child(&name::decode(of.name(member)))
    }
}

fn value_of(of: &Layer, member: &Member) -> Result<Value> {
    json::read(of.value_text(member), limits::DEPTH)
}

#[cfg(test)]
mod tests {
    use alloc::string::{String, ToString};

    use super::*;

    fn check(from: &str, to: &str, operations: &[&str]) {
        let layer =
            |text: &str| Layer::from_value(&json::read(text.as_bytes(), 64).unwrap()).unwrap();
        let (from, to) = (layer(from), layer(to));
        let patch = diff(&from, &to).unwrap();
        let shown: Vec<String> = patch
            .operations
            .iter()
            .map(|operation| alloc::format!("{} {}", operation.name(), operation.path()))
            .collect();
        assert_eq!(shown, operations);
        let mut value = from.to_value().unwrap();
        patch.apply(&mut value).unwrap();
        assert_eq!(json::write(&value).as_slice(), to.text());
    }

    #[test]
    fn objects_differ_member_by_member() {
        check(
            r#"{"a":1,"b":{"x":1,"y":2}}"#,
            r#"{"b":{"x":1,"y":3},"c":0}"#,
            &["remove /a", "replace /b/y", "add /c"],
        );
    }

    #[test]
    fn arrays_differ_between_their_common_ends() {
        check(r#"{"l":[1,2,3]}"#, r#"{"l":[1,2,3,4]}"#, &["add /l/3"]);
        check(r#"{"l":[1,2,3,4]}"#, r#"{"l":[1,4]}"#, &["remove /l/2", "remove /l/1"]);
        check(r#"{"l":[1,{"a":1},3]}"#, r#"{"l":[1,{"a":2},3]}"#, &["replace /l/1/a"]);
    }

    #[test]
    fn a_patch_that_would_outweigh_what_it_makes_replaces_it() {
        let list = |from: usize, to: usize| {
            let items: Vec<_> = (from..to).map(|n| n.to_string()).collect();
            alloc::format!(r#"{{"l":[{}],"o":{{"x":1}}}}"#, items.join(","))
        };
        check(&list(0, 3000), &list(2000, 3000), &["replace /l"]);
        check(&list(2000, 3000), &list(0, 3000), &["replace /l"]);
        check(&list(0, 3000), &list(2, 3000), &["remove /l/1", "remove /l/0"]);
        check(&list(0, 3000), "{}", &["remove /l", "remove /o"]);
        let wide = |step: usize| {
            let members: Vec<_> =
                (0..3000).step_by(step).map(|n| alloc::format!(r#""{n:04}":0"#)).collect();
            alloc::format!("{{{}}}", members.join(","))
        };
        check(&wide(1), &wide(2), &["replace "]);
        check(&wide(3), &wide(1), &["replace "]);
    }

    #[test]
    fn a_sealed_value_is_replaced_whole() {
        check(r#"{"p":{"$sealed":"a"}}"#, r#"{"p":{"$sealed":"b"}}"#, &["replace /p"]);
        check(r#"{"p":{"$sealed":"a"}}"#, r#"{"p":{"q":1}}"#, &["replace /p"]);
    }
}
