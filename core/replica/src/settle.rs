//! Deciding conflicts.

use alloc::{string::String, vec::Vec};

use super::{
    Replica, Step,
    conflict::{Aspect, OpenConflict},
    conflict_key,
};
use nacre_layers::{
    address::Address,
    diff::diff,
    error::{Code, Error, Result},
    layer::Layer,
    pointer::Pointer,
    sort::sort_by,
    value::{Object, Value},
};
use nacre_store::{record::Record, store::Reads};

/// The choice of the user.
#[derive(Clone, Debug, PartialEq)]
pub enum Choice {
    /// Keep the value that was written here.
    Mine,
    /// Keep the value on the server.
    Theirs,
    /// Use another value.
    Other(Value),
}

impl Replica {
    /// The conflicts, oldest first, with the server's current value.
    ///
    /// # Errors
    /// `store-unavailable`.
    pub fn conflicts(&self) -> Result<Value> {
        let mut all: Vec<&OpenConflict> = self.conflicts.iter().collect();
        sort_by(&mut all, |a, b| (&a.at, &a.id).cmp(&(&b.at, &b.id)));
        let mut shown = Vec::with_capacity(all.len());
        for conflict in all {
            let mut conflict = conflict.clone();
            let record = self.shown.record(&conflict.address()?)?.filter(|record| record.is_live());
            match conflict.aspect {
                Aspect::Data => {
                    let pointer = Pointer::parse(conflict.pointer.as_str())?;
                    let read = record.map(|record| record.layer.value_at(&pointer));
                    conflict.theirs = read.transpose()?.flatten();
                }
                Aspect::Context => {
                    conflict.theirs = record.map(|record| record.layer.to_value()).transpose()?;
                }
                Aspect::Parent | Aspect::Rules => {}
            }
            shown.push(conflict.to_value()?);
        }
        Ok(Value::Array(shown))
    }

    /// The number of conflicts.
    pub fn conflict_count(&self) -> usize {
        self.conflicts.len()
    }

    /// Settles a conflict. Returns the writes to make, and the step that removes the conflict.
    /// Store both in one transaction.
    ///
    /// # Errors
    /// `not-found` if the conflict does not exist. Errors of the writes come when they are made.
    pub fn settle(&self, id: &str, choice: Choice) -> Result<(Vec<Value>, Step)> {
        let conflict =
            self.conflicts.iter().find(|conflict| conflict.id == id).ok_or_else(|| {
                Error::new(
                    Code::NotFound,
                    "this conflict does not exist; it may have been settled already",
                )
            })?;
        let mut step = Step::default();
        step.entries.push((conflict_key(id), None));
        let value = match choice {
            Choice::Theirs => return Ok((Vec::new(), step)),
            Choice::Mine => conflict.mine.clone(),
            Choice::Other(value) => Some(value),
        };
        let address = conflict.address()?;
        let record = self.shown.record(&address)?;
        let live = record.as_ref().filter(|record| record.is_live());
        let operation = match (conflict.aspect, live) {
            (Aspect::Data, Some(live)) => set(conflict, live, value)?,
            (Aspect::Data, None) => {
                return Err(Error::new(Code::NotFound, "the context is deleted; restore it first"));
            }
            (Aspect::Context, live) => match (value, live) {
                (Some(data), _) => Some(whole(conflict, record.as_deref(), data)),
                (None, Some(_)) => Some(Value::Object(frame(conflict, "delete"))),
                (None, None) => None,
            },
            (Aspect::Parent, _) => value.map(|parent| {
                let mut op = frame(conflict, "move");
                op.insert("parent", parent);
                Value::Object(op)
            }),
            (Aspect::Rules, Some(live)) => match value {
                Some(rules) => {
                    let mut op = frame(conflict, "put");
                    op.insert("data", live.layer.to_value()?);
                    op.insert("rules", rules);
                    Some(Value::Object(op))
                }
                None => None,
            },
            (Aspect::Rules, None) => return Err(Error::not_found()),
        };
        Ok((operation.into_iter().collect(), step))
    }
}

fn frame(conflict: &OpenConflict, action: &str) -> Object {
    let mut op = Object::new();
    op.insert("action", action.into());
    op.insert("level", conflict.level.as_str().into());
    op.insert("context_id", conflict.context_id.as_str().into());
    if let Some(summary) = &conflict.summary {
        op.insert("summary", summary.as_str().into());
    }
    op
}

/// Sets or removes the value at the conflict's pointer; nothing if it is already so.
fn set(conflict: &OpenConflict, live: &Record, value: Option<Value>) -> Result<Option<Value>> {
    let pointer = Pointer::parse(conflict.pointer.as_str())?;
    let mut data = live.layer.to_value()?;
    match (value, pointer.split_last()) {
        (Some(value), None) => data = value,
        (None, None) => {}
        (value, Some((above, name))) => {
            let mut here = &mut data;
            for token in above.tokens() {
                here = match here {
                    Value::Object(object) => {
                        object.get_or_insert_with(&token, || Value::Object(Object::new()))
                    }
                    _ => return Err(in_the_way(&above)),
                };
            }
            let object = here.as_object_mut().ok_or_else(|| in_the_way(&above))?;
            match value {
                Some(value) => drop(object.insert(String::from(name.as_ref()), value)),
                None => drop(object.remove(name.as_ref())),
            }
        }
    }
    let patch = diff(&live.layer, &Layer::from_value(&data)?)?;
    if patch.operations.is_empty() {
        return Ok(None);
    }
    let mut op = frame(conflict, "update");
    op.insert("patch", patch.to_value());
    Ok(Some(Value::Object(op)))
}

/// Writes the whole context, at its old place if it is deleted.
fn whole(conflict: &OpenConflict, record: Option<&Record>, data: Value) -> Value {
    let mut op = frame(conflict, "put");
    op.insert("data", data);
    if let Some(record) = record.filter(|record| !record.is_live()) {
        let parent = record
            .above()
            .filter(|above: &Address| above.level > nacre_layers::level::Level::Global);
        if let Some(parent) = parent {
            op.insert("parent", parent.id.as_str().into());
        }
        op.insert("rules", Value::Object(record.rules.to_object()));
    }
    Value::Object(op)
}

fn in_the_way(place: &Pointer) -> Error {
    Error::new(Code::MergeConflict, "the current value is not an object; choose another value")
        .at(place)
}
