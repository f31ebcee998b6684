//! Answers that fit their room: what is too long is left out, and what is left out is told.
//!
//! Short members are kept whole first, then parts of the long ones, each with an equal share of what is
//! left. Of a list its beginning is kept. A value is whole or absent, never cut: what an agent reads it
//! may write back.

use alloc::{format, string::String, vec::Vec};

use nacre_layers::{
    pointer::Pointer,
    value::{Object, Value},
};
use nacre_pack::Counter;

use crate::{arguments::text_of, outcome::object};

/// Of so many members of one object, each is listed by itself.
const ALONE: usize = 4;

/// The part of the room that is kept for the list of what is left out.
const LIST_PART: usize = 6;

/// The tokens that are kept for it at least.
const LIST_LEAST: usize = 40;

/// The tokens of a text.
pub(crate) fn tokens(text: &str) -> usize {
    Counter::Cautious.count(text)
}

/// The tokens of a value's text.
pub(crate) fn tokens_of(value: &Value) -> usize {
    tokens(&text_of(value))
}

/// One place that did not fit.
#[derive(Clone, Debug, PartialEq)]
struct Left {
    /// A value, or the object or list whose members are left out.
    at: Pointer,
    /// How many members or items; `None` for the value itself.
    count: Option<usize>,
    tokens: usize,
}

/// What fits of a value, and the list of what does not.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Fitted {
    /// What fits; `None` if nothing does.
    pub(crate) value: Option<Value>,
    /// What is left out, as an answer shows it; `None` if that is nothing.
    pub(crate) left_out: Option<Value>,
}

/// Makes a value fit, which is at `at`. Value and list together have at most `room` tokens, where the list does not need
/// more than its least.
pub(crate) fn fit(value: Value, at: &Pointer, room: usize) -> Fitted {
    let whole = tokens_of(&value);
    if whole <= room {
        return Fitted { value: Some(value), left_out: None };
    }
    let list = (room / LIST_PART).max(LIST_LEAST);
    let mut left = Vec::new();
    let mut at = at.clone();
    let part = part(value, &mut at, room.saturating_sub(list), &mut left);
    if part.is_none() {
        left = Vec::from([Left { at, count: None, tokens: whole }]);
    }
    // The long ones are what somebody may miss.
    left.sort_by_key(|left| core::cmp::Reverse(left.tokens));
    let left_out = Some(listed(&left, list));
    Fitted { value: part.map(|(value, _)| value), left_out }
}

/// What fits of a value, with its tokens; `None` if nothing does. What is left out of it is appended.
fn part(
    value: Value,
    at: &mut Pointer,
    room: usize,
    left: &mut Vec<Left>,
) -> Option<(Value, usize)> {
    let size = tokens_of(&value);
    if size <= room {
        return Some((value, size));
    }
    match value {
        Value::Object(members) => members_of(members, at, room, left),
        Value::Array(items) => items_of(items, at, room, left),
        _ => None,
    }
}

/// A member, and what has become of it.
struct Member {
    name: String,
    value: Value,
    tokens: usize,
    kept: Option<Value>,
}

fn members_of(
    members: Object,
    at: &mut Pointer,
    room: usize,
    left: &mut Vec<Left>,
) -> Option<(Value, usize)> {
    let before = left.len();
    let mut rest = room.checked_sub(FRAME)?;
    let mut members: Vec<Member> = members
        .into_iter()
        .map(|(name, value)| {
            let tokens = frame_of(&name) + tokens_of(&value);
            Member { name, value, tokens, kept: None }
        })
        .collect();
    let mut order: Vec<&mut Member> = members.iter_mut().collect();
    order.sort_by_key(|member| member.tokens);
    let count = order.len();
    for (index, member) in order.into_iter().enumerate() {
        if let Some(less) = rest.checked_sub(member.tokens) {
            rest = less;
            member.kept = Some(core::mem::replace(&mut member.value, Value::Null));
            continue;
        }
        let share = rest / (count - index).max(1);
        let Some(share) = share.checked_sub(frame_of(&member.name)) else { continue };
        let value = core::mem::replace(&mut member.value, Value::Null);
        at.push(&member.name);
        if let Some((kept, used)) = part(value, at, share, left) {
            rest -= used + frame_of(&member.name);
            member.kept = Some(kept);
        }
        at.pop();
    }
    let mut kept = Object::new();
    let mut gone = Vec::new();
    for Member { name, value: _, tokens, kept: value } in members {
        match value {
            Some(value) => drop(kept.insert(name, value)),
            None => gone.push((name, tokens)),
        }
    }
    if kept.is_empty() {
        left.truncate(before);
        return None;
    }
    if gone.len() > ALONE {
        let tokens = gone.iter().map(|(_, tokens)| tokens).sum();
        left.push(Left { at: at.clone(), count: Some(gone.len()), tokens });
    } else {
        left.extend(gone.into_iter().map(|(name, tokens)| Left {
            at: at.child(&name),
            count: None,
            tokens,
        }));
    }
    Some((Value::Object(kept), room - rest))
}

fn items_of(
    items: Vec<Value>,
    at: &mut Pointer,
    room: usize,
    left: &mut Vec<Left>,
) -> Option<(Value, usize)> {
    let before = left.len();
    let mut rest = room.checked_sub(FRAME)?;
    let mut kept = Vec::new();
    let mut items = items.into_iter();
    for item in items.by_ref() {
        let tokens = SEAM + tokens_of(&item);
        if let Some(less) = rest.checked_sub(tokens) {
            rest = less;
            kept.push(item);
            continue;
        }
        at.push_index(kept.len());
        let part = rest.checked_sub(SEAM).and_then(|rest| part(item, at, rest, left));
        at.pop();
        match part {
            Some((part, used)) => {
                rest -= used + SEAM;
                kept.push(part);
            }
            None => left.push(Left { at: at.clone(), count: Some(1), tokens }),
        }
        break;
    }
    if kept.is_empty() {
        left.truncate(before);
        return None;
    }
    let (more, tokens) =
        items.fold((0, 0), |(more, tokens), item| (more + 1, tokens + SEAM + tokens_of(&item)));
    match left.last_mut().filter(|last| last.at == *at && last.count.is_some()) {
        Some(last) => {
            last.count = last.count.map(|count| count + more);
            last.tokens += tokens;
        }
        None if more > 0 => left.push(Left { at: at.clone(), count: Some(more), tokens }),
        None => {}
    }
    Some((Value::Array(kept), room - rest))
}

/// The tokens of the brackets around members.
const FRAME: usize = 2;

/// The tokens between two items.
const SEAM: usize = 1;

/// The tokens of a member's name with its quotes, its colon and the comma behind it.
fn frame_of(name: &str) -> usize {
    tokens(name) + 5
}

/// The list as an answer shows it, in at most `room` tokens: what does not fit is counted.
fn listed(left: &[Left], room: usize) -> Value {
    let mut list = Vec::new();
    let mut rest = room.saturating_sub(MORE);
    for (index, left_out) in left.iter().enumerate() {
        let entry = left_out.shown();
        match rest.checked_sub(tokens_of(&entry) + SEAM) {
            Some(less) => {
                rest = less;
                list.push(entry);
            }
            None => {
                let more: usize = left.iter().skip(index).map(|left| left.count.unwrap_or(1)).sum();
                list.push(format!("and {more} more").into());
                break;
            }
        }
    }
    Value::Array(list)
}

/// The tokens of `"and 1000 more"`.
const MORE: usize = 10;

impl Left {
    fn shown(&self) -> Value {
        let Left { at, count, tokens } = self;
        let mut shown =
            object([("pointer", at.as_str().into()), ("tokens", (*tokens as u64).into())]);
        if let (Some(count), Value::Object(shown)) = (count, &mut shown) {
            shown.insert("count", (*count as u64).into());
        }
        shown
    }
}
