//! Reads of resolved views.

use alloc::{boxed::Box, rc::Rc, vec::Vec};

use super::{Setting, reveal::revealed_view};
use crate::{
    history::{chain, chain_as_of},
    limits,
    op::Resolve,
    plan::{DiffLine, Reply, ViewReply},
    record::Record,
    sight::{Sight, shared_sealed},
    store::{AsOf, Reads, links, resolve_records},
};
use nacre_layers::{
    address::Address,
    cut::cut,
    diff,
    error::{Code, Error, Result},
    explain::explain_bounded,
    layer::Layer,
    level::LAYERS,
    pointer::Pointer,
    resolve,
};

pub(super) fn resolve(
    reads: &dyn Reads,
    setting: &Setting<'_>,
    sight: &dyn Sight,
    op: &Resolve,
) -> Result<Reply> {
    let seq = reads.seq()?;
    let (chain, view) = match op.as_of {
        None => {
            let chain = sight.chain(chain(reads, &op.address)?, None)?;
            let view = reads.view(&chain)?;
            (chain, view)
        }
        Some(at) => {
            let chain = past_chain(reads, sight, &op.address, at)?;
            if op.reveal && !sight.reveals_chain(&chain) {
                return Err(shared_sealed());
            }
            let view = resolve_records(&chain);
            (chain, view)
        }
    };
    let mut shown = if op.reveal { Some(revealed_view(reads, setting, &chain)?) } else { None };
    if let Some(path) = &op.path {
        let whole = shown.as_deref().unwrap_or(&view.text);
        let part = cut(whole, path).ok_or_else(|| {
            Error::new(Code::NotFound, "the view has no value at this path").at(path.as_str())
        })?;
        shown = Some(part.to_vec());
    }
    let root = Pointer::root();
    let path = op.path.as_ref().unwrap_or(&root);
    let explain = || explain_bounded(&links(&chain), path, named(&chain));
    let explanation = op.explain.then(explain).transpose()?;
    let seq = match op.as_of {
        Some(AsOf::Seq(at)) => at,
        _ => seq,
    };
    let address = op.address.clone();
    Ok(Reply::View(Box::new(ViewReply {
        address,
        seq,
        chain,
        view,
        shown,
        reveals: op.reveal,
        explanation,
    })))
}

/// What naming each layer of a chain takes in an explanation, in bytes.
fn named(chain: &[Rc<Record>]) -> [usize; LAYERS] {
    let mut bytes = [0; LAYERS];
    for (bytes, record) in bytes.iter_mut().zip(chain) {
        *bytes = LAYER + record.address.id.as_str().len() + record.updated_by.as_str().len();
    }
    bytes
}

/// What the rest of a layer's name takes in an answer, in bytes: level, version, and the names of
/// members.
const LAYER: usize = 48;

pub(super) fn diff(
    reads: &dyn Reads,
    sight: &dyn Sight,
    address: &Address,
    from: AsOf,
    to: Option<AsOf>,
) -> Result<Reply> {
    let before = past_chain(reads, sight, address, from)?;
    let after = match to {
        Some(to) => past_chain(reads, sight, address, to)?,
        None => sight.chain(chain(reads, address)?, None)?,
    };
    let text = |chain: &[Rc<Record>]| Layer::from_canonical(resolve::resolve(&links(chain)));
    let patch = diff::diff(&text(&before)?, &text(&after)?)?;
    let pairs = pairs(&before, &after);
    let (mut lines, mut bytes) = (Vec::new(), 0);
    let mut held: Vec<Held<'_>> = Vec::new();
    let mut layers = Vec::new();
    for operation in patch.operations {
        // Many operations in one array have the same layers, and that array is compared once.
        let now: Vec<Held<'_>> = pairs.iter().map(|pair| pair.held_at(operation.path())).collect();
        if lines.is_empty() || !now.iter().zip(&held).all(|(now, held)| now.is(held)) {
            let changed = pairs.iter().zip(&now).filter(|(pair, held)| pair.differs(held));
            layers = changed.map(|(pair, _)| pair.shown()).collect();
            held = now;
        }
        bytes += layers.iter().map(|(address, _)| LAYER + address.id.as_str().len()).sum::<usize>();
        if bytes > limits::ANSWER_BYTES {
            return Err(Error::new(
                Code::TooLarge,
                "the layers of the changes would be larger than 4 MiB; compare two nearer states",
            )
            .limit(limits::ANSWER_BYTES as u64));
        }
        lines.push(DiffLine { operation, layers: layers.clone() });
    }
    Ok(Reply::Diff(lines))
}

/// A layer of a chain at two states; a side without it is `None`.
struct Pair<'c> {
    old: Option<&'c Record>,
    new: Option<&'c Record>,
    /// Whether its rules changed.
    has_new_rules: bool,
}

/// The values of a layer at a path at two states.
struct Held<'c>([Option<&'c [u8]>; 2]);

impl Held<'_> {
    /// Whether these are the same bytes in memory, which needs no comparison of the bytes.
    fn is(&self, other: &Held<'_>) -> bool {
        let place = |text: &Option<&[u8]>| text.map(|text| (text.as_ptr(), text.len()));
        self.0.iter().map(place).eq(other.0.iter().map(place))
    }
}

/// The layers of two chains: those of the later one, then those that are gone.
fn pairs<'c>(before: &'c [Rc<Record>], after: &'c [Rc<Record>]) -> Vec<Pair<'c>> {
    let find = |chain: &'c [Rc<Record>], address: &Address| {
        chain.iter().find(|record| record.address == *address).map(|record| &**record)
    };
    let gone = before.iter().filter(|record| find(after, &record.address).is_none());
    let pair = |record: &Rc<Record>| {
        let (old, new) = (find(before, &record.address), find(after, &record.address));
        let has_new_rules = old.zip(new).is_some_and(|(old, new)| old.rules != new.rules);
        Pair { old, new, has_new_rules }
    };
    after.iter().chain(gone).map(pair).collect()
}

impl<'c> Pair<'c> {
    /// The values at a path. Inside an array it is the whole array, and below another value that
    /// value: a layer replaces these as a whole.
    fn held_at(&self, path: &Pointer) -> Held<'c> {
        Held([self.old, self.new].map(|record| held_at(&record?.layer, path)))
    }

    /// Whether the layer may have changed the view there.
    fn differs(&self, Held([old, new]): &Held<'_>) -> bool {
        old != new || self.has_new_rules
    }

    fn shown(&self) -> (Address, u64) {
        let record = self.new.or(self.old);
        record.map_or((Address::global(), 0), |record| (record.address.clone(), record.version))
    }
}

/// The text that a layer holds at a path. Inside an array it is the whole array, and below another
/// value that value.
pub(super) fn held_at<'l>(layer: &'l Layer, path: &Pointer) -> Option<&'l [u8]> {
    let mut at = Pointer::root();
    for token in path.tokens() {
        if !layer.get(&at)?.starts_with(b"{") {
            break;
        }
        at.push(&token);
    }
    layer.get(&at)
}

fn past_chain(
    reads: &dyn Reads,
    sight: &dyn Sight,
    address: &Address,
    at: AsOf,
) -> Result<Vec<Rc<Record>>> {
    sight.chain(chain_as_of(reads, address, at)?, Some(at))
}
