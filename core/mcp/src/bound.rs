//! Answers that fit their room: what is too long is left out, and what is left out is told.
//!
//! Short members are kept whole first, then parts of the long ones, each with an equal share of what is
//! left. Of a list its beginning is kept. A value is whole or absent, never cut: what an agent reads it
//! may write back.
//!
//! What is kept is counted exactly. A view may be a hundred times as long as its answer, so of what is
//! left out only the beginning is counted, and the rest taken to be like it.

use alloc::{borrow::Cow, format, vec::Vec};

use nacre_layers::{
    pointer::Pointer,
    value::{Object, Value},
};
use nacre_pack::Counter;

use crate::{
    arguments::text_of,
    outcome::object,
    text::{Parts, parts, value},
};

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

/// The tokens of a JSON text, if they fit. Most texts that do not are told by their length.
pub(crate) fn fitting(text: &str, room: usize) -> Option<usize> {
    let may_fit = Counter::Cautious.least(text.len()) <= room;
    may_fit.then(|| tokens(text)).filter(|tokens| *tokens <= room)
}

/// About how many tokens these have together: names of members, empty for items, and texts of values.
fn about<'t>(texts: impl Iterator<Item = (&'t str, &'t str)>) -> usize {
    let (mut bytes, mut counted, mut tokens_counted) = (0, 0, 0);
    for text in texts.flat_map(|(name, text)| [name, text]) {
        bytes += text.len();
        let sample = text.floor_char_boundary(SAMPLE.saturating_sub(counted));
        counted += sample;
        tokens_counted += tokens(text.get(..sample).unwrap_or_default());
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

/// Makes the value of a text fit, which is at `at`: whole, or [cut].
pub(crate) fn fit(text: &str, at: &Pointer, room: usize) -> Fitted {
    match fitting(text, room) {
        Some(_) => Fitted { value: Some(value(text)), left_out: None },
        None => cut(text, at, room),
    }
}

/// What fits of the value of a text that does not [fit](fitting) as a whole. It is at `at`. Value and list
/// together have at most `room` tokens, where the list does not need more than its least.
pub(crate) fn cut(text: &str, at: &Pointer, room: usize) -> Fitted {
    let list = (room / LIST_PART).max(LIST_LEAST);
    let mut left = Vec::new();
    let part = part(text, &mut at.clone(), room.saturating_sub(list), &mut left);
    if part.is_none() {
        left = Vec::from([Left::whole(at.clone(), text)]);
    }
    // The long ones are what somebody may miss.
    left.sort_by_key(|left| core::cmp::Reverse(left.tokens));
    Fitted { value: part.map(|(value, _)| value), left_out: Some(listed(&left, list)) }
}

/// What fits of the value of a text, with its tokens; `None` if nothing does. What is left out of it is
/// appended.
fn part(text: &str, at: &mut Pointer, room: usize, left: &mut Vec<Left>) -> Option<(Value, usize)> {
    if let Some(tokens) = fitting(text, room) {
        return Some((value(text), tokens));
    }
    match parts(text) {
        Parts::Members(members) => members_of(&members, at, room, left),
        Parts::Items(items) => items_of(&items, at, room, left),
        Parts::None => None,
    }
}

fn members_of(
    members: &[(Cow<'_, str>, &str)],
    at: &mut Pointer,
    room: usize,
    left: &mut Vec<Left>,
) -> Option<(Value, usize)> {
    let mut rest = room.checked_sub(FRAME)?;
    let mut kept = Object::new();
    let mut gone = Vec::new();
    let mut parts_left = Vec::new();
    let mut order: Vec<_> = members.iter().collect();
    order.sort_by_key(|(name, text)| name.len() + text.len());
    let count = order.len();
    for (index, (name, text)) in order.into_iter().enumerate() {
        let frame = frame_of(name);
        let share = rest / (count - index).max(1);
        let whole = rest.checked_sub(frame).and_then(|all| fitting(text, all));
        let fits = match whole {
            Some(tokens) => Some((value(text), tokens)),
            None => share.checked_sub(frame).and_then(|share| {
                at.push(name);
                let part = part(text, at, share, &mut parts_left);
                at.pop();
                part
            }),
        };
        match fits {
            Some((part, used)) => {
                rest -= used + frame;
                kept.insert(name.as_ref(), part);
            }
            None => gone.push((name.as_ref(), *text)),
        }
    }
    if kept.is_empty() {
        return None;
    }
    left.append(&mut parts_left);
    if gone.len() > ALONE {
        let (count, tokens) = (Some(gone.len()), about(gone.into_iter()));
        left.push(Left { at: at.clone(), count, tokens });
    } else {
        left.extend(gone.into_iter().map(|(name, text)| Left::whole(at.child(name), text)));
    }
    Some((Value::Object(kept), room - rest))
}

fn items_of(
    items: &[&str],
    at: &mut Pointer,
    room: usize,
    left: &mut Vec<Left>,
) -> Option<(Value, usize)> {
    let mut rest = room.checked_sub(FRAME)?;
    let mut kept = Vec::new();
    let mut parts_left = Vec::new();
    for (index, item) in items.iter().enumerate() {
        let Some(all) = rest.checked_sub(SEAM) else { break };
        at.push_index(index);
        let part = part(item, at, all, &mut parts_left);
        at.pop();
        let Some((part, used)) = part else { break };
        rest = all - used;
        kept.push(part);
        if !parts_left.is_empty() {
            break;
        }
    }
    if kept.is_empty() {
        return None;
    }
    left.append(&mut parts_left);
    let gone = items.get(kept.len()..).unwrap_or_default();
    if !gone.is_empty() {
        let (count, tokens) = (Some(gone.len()), about(gone.iter().map(|item| ("", *item))));
        left.push(Left { at: at.clone(), count, tokens });
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
    /// A value, by its text.
    fn whole(at: Pointer, text: &str) -> Left {
        Left { at, count: None, tokens: about([("", text)].into_iter()) }
    }

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
