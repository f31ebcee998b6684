//! Answers that fit their room: what is too long is left out, and what is left out is told.
//!
//! Short members are kept whole first, then parts of the long ones, each with an equal share of what is
//! left. Of a list its beginning is kept. A value is whole or absent, never cut: what an agent reads it
//! may write back.
//!
//! What is kept is counted exactly. A view may be a hundred times as long as its answer, so of what is
//! left out only the beginning is counted, and the rest taken to be like it.

use alloc::{format, string::String, vec::Vec};

use nacre_layers::{
    json,
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

/// How many bytes are counted of what is left out.
const SAMPLE: usize = 1024;

/// The tokens of a text.
pub(crate) fn tokens(text: &str) -> usize {
    Counter::Cautious.count(text)
}

/// The tokens of a value's text.
pub(crate) fn tokens_of(value: &Value) -> usize {
    tokens(&text_of(value))
}

/// The tokens of a value's text, if they fit. Most texts that do not are told by their length.
pub(crate) fn fitting(value: &Value, room: usize) -> Option<usize> {
    let text = text_of(value);
    let may_fit = Counter::Cautious.least(text.len()) <= room;
    may_fit.then(|| tokens(&text)).filter(|tokens| *tokens <= room)
}

/// About how many tokens these have together: names of members, empty for items, and the texts of values.
fn about<'a>(values: impl Iterator<Item = (&'a str, &'a Value)>) -> usize {
    let (mut bytes, mut counted, mut tokens_counted) = (0, 0, 0);
    for (name, value) in values {
        let text = format!("{name}{}", text_of(value));
        bytes += text.len();
        if counted < SAMPLE {
            let sample = text.floor_char_boundary(SAMPLE - counted);
            counted += sample;
            tokens_counted += tokens(text.get(..sample).unwrap_or_default());
        }
    }
    if counted == bytes { tokens_counted } else { tokens_counted * bytes / counted.max(1) }
}

/// One place that did not fit.
#[derive(Clone, Debug, PartialEq)]
struct Left {
    /// A value, or the object or list whose members are left out.
    at: Pointer,
    /// How many members or items; `None` for the value itself.
    count: Option<usize>,
    /// About how many tokens they have.
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

/// Makes a value fit, which is at `at`: whole, or [cut].
pub(crate) fn fit(value: Value, at: &Pointer, room: usize) -> Fitted {
    match fitting(&value, room) {
        Some(_) => Fitted { value: Some(value), left_out: None },
        None => cut(value, at, room),
    }
}

/// What fits of a value that does not [fit](fitting) as a whole. It is at `at`. Value and list together have
/// at most `room` tokens, where the list does not need more than its least.
pub(crate) fn cut(value: Value, at: &Pointer, room: usize) -> Fitted {
    let list = (room / LIST_PART).max(LIST_LEAST);
    let mut left = Vec::new();
    let mut at = at.clone();
    let rest = room.saturating_sub(list);
    let part = match part(value, &mut at, rest, &mut left) {
        Ok((part, _)) => Some(part),
        Err(whole) => {
            let tokens = about([("", &whole)].into_iter());
            left = Vec::from([Left { at, count: None, tokens }]);
            None
        }
    };
    // The long ones are what somebody may miss.
    left.sort_by_key(|left| core::cmp::Reverse(left.tokens));
    Fitted { value: part, left_out: Some(listed(&left, list)) }
}

/// What fits of a value, with its tokens; the value itself if nothing does. What is left out of it is
/// appended.
fn part(
    value: Value,
    at: &mut Pointer,
    room: usize,
    left: &mut Vec<Left>,
) -> Result<(Value, usize), Value> {
    if let Some(tokens) = fitting(&value, room) {
        return Ok((value, tokens));
    }
    match value {
        Value::Object(members) => members_of(members, at, room, left),
        Value::Array(items) => items_of(items, at, room, left),
        other => Err(other),
    }
}

/// A member, and what has become of it.
struct Member {
    name: String,
    value: Value,
    /// The bytes of its text.
    bytes: usize,
    is_kept: bool,
}

fn members_of(
    members: Object,
    at: &mut Pointer,
    room: usize,
    left: &mut Vec<Left>,
) -> Result<(Value, usize), Value> {
    let before = left.len();
    let mut members: Vec<Member> = members
        .into_iter()
        .map(|(name, value)| {
            let bytes = name.len() + json::write(&value).len();
            Member { name, value, bytes, is_kept: false }
        })
        .collect();
    let mut rest = room.saturating_sub(FRAME);
    let mut order: Vec<&mut Member> = members.iter_mut().collect();
    order.sort_by_key(|member| member.bytes);
    let count = order.len();
    for (index, member) in order.into_iter().enumerate() {
        let Some(all) = rest.checked_sub(frame_of(&member.name)) else { continue };
        if Counter::Cautious.least(member.bytes) <= rest
            && let Some(tokens) = fitting(&member.value, all)
        {
            rest = all - tokens;
            member.is_kept = true;
            continue;
        }
        let share = rest / (count - index).max(1);
        let Some(share) = share.checked_sub(frame_of(&member.name)) else { continue };
        let value = core::mem::replace(&mut member.value, Value::Null);
        at.push(&member.name);
        match part(value, at, share, left) {
            Ok((kept, used)) => {
                rest -= used + frame_of(&member.name);
                (member.value, member.is_kept) = (kept, true);
            }
            Err(whole) => member.value = whole,
        }
        at.pop();
    }
    if !members.iter().any(|member| member.is_kept) {
        left.truncate(before);
        return Err(object_of(members));
    }
    let gone: Vec<&Member> = members.iter().filter(|member| !member.is_kept).collect();
    if gone.len() > ALONE {
        let tokens = about(gone.iter().map(|member| (member.name.as_str(), &member.value)));
        left.push(Left { at: at.clone(), count: Some(gone.len()), tokens });
    } else {
        left.extend(gone.into_iter().map(|member| Left {
            at: at.child(&member.name),
            count: None,
            tokens: about([("", &member.value)].into_iter()),
        }));
    }
    members.retain(|member| member.is_kept);
    Ok((object_of(members), room - rest))
}

fn object_of(members: Vec<Member>) -> Value {
    let mut object = Object::new();
    for Member { name, value, .. } in members {
        object.insert(name, value);
    }
    Value::Object(object)
}

fn items_of(
    mut items: Vec<Value>,
    at: &mut Pointer,
    room: usize,
    left: &mut Vec<Left>,
) -> Result<(Value, usize), Value> {
    let before = left.len();
    let mut rest = room.saturating_sub(FRAME);
    let mut kept = 0;
    while let Some(item) = items.get_mut(kept) {
        let Some(all) = rest.checked_sub(SEAM) else { break };
        at.push_index(kept);
        let part = part(core::mem::replace(item, Value::Null), at, all, left);
        at.pop();
        let is_whole = left.len() == before;
        match part {
            Ok((part, used)) => {
                *item = part;
                rest = all - used;
                kept += 1;
            }
            Err(whole) => {
                *item = whole;
                break;
            }
        }
        if !is_whole {
            break;
        }
    }
    if kept == 0 {
        left.truncate(before);
        return Err(Value::Array(items));
    }
    let gone = items.get(kept..).unwrap_or_default();
    if !gone.is_empty() {
        left.push(Left {
            at: at.clone(),
            count: Some(gone.len()),
            tokens: about(gone.iter().map(|item| ("", item))),
        });
    }
    items.truncate(kept);
    Ok((Value::Array(items), room - rest))
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
