//! Finds contexts close to their limits, and their large values.

use alloc::format;

use super::{Kind, Report, Said};
use crate::{
    layer::{Content, Layer, Member},
    limits,
};

/// Size from which a value is large, in bytes: an eighth of the limit of a context.
const LARGE: usize = limits::DATA_BYTES / 8;

/// Size of the data, depth, number of rules, and large values.
pub(super) fn check(report: &mut Report<'_, '_>) {
    let context = report.seat.context;
    let bytes = context.layer.text().len();
    if bytes > limits::DATA_BYTES {
        report.add(Kind::DataTooLarge, || Said {
            message: format!(
                "the data has {bytes} bytes, but a context must have at most {}: split it",
                limits::DATA_BYTES
            ),
            bytes: Some(bytes),
            ..Said::default()
        });
    } else if is_near(bytes, limits::DATA_BYTES) {
        report.add(Kind::DataNearLimit, || Said {
            message: format!(
                "the data uses {} % of the limit of a context: split it before it reaches the \
                 limit",
                percent(bytes)
            ),
            bytes: Some(bytes),
            ..Said::default()
        });
    }
    let mut survey = Survey { report, layer: context.layer, depth: 0, deepest: (0, 0) };
    survey.container(context.layer.root());
    let (depth, offset) = survey.deepest;
    if is_near(depth, limits::DEPTH) {
        report.add_at(Kind::DepthNearLimit, offset, || Said {
            message: format!(
                "this value is at depth {depth}, and the limit is {}: make the data flatter",
                limits::DEPTH
            ),
            ..Said::default()
        });
    }
    let rules = context.rules.len();
    if is_near(rules, limits::RULES) {
        report.add(Kind::RulesNearLimit, || Said {
            message: format!(
                "the context has {rules} rules, and the limit is {}: set fewer rules, on higher \
                 paths",
                limits::RULES
            ),
            ..Said::default()
        });
    }
}

/// Whether a size is four fifths of a limit or more.
fn is_near(size: usize, limit: usize) -> bool {
    size.saturating_mul(5) >= limit.saturating_mul(4)
}

fn percent(bytes: usize) -> usize {
    bytes.saturating_mul(100) / limits::DATA_BYTES
}

struct Survey<'s, 't, 'a> {
    report: &'s mut Report<'t, 'a>,
    layer: &'a Layer,
    depth: usize,
    /// The depth of the deepest value, and its offset.
    deepest: (usize, u32),
}

impl<'a> Survey<'_, '_, 'a> {
    /// Walks a container; returns whether it contains a large value.
    fn container(&mut self, id: u32) -> bool {
        self.depth += 1;
        let mut found = false;
        for member in self.layer.members(self.layer.container(id)) {
            found |= self.member(member);
        }
        self.depth -= 1;
        found
    }

    fn member(&mut self, member: &'a Member) -> bool {
        let text = self.layer.value_text(member);
        let offset = member.span().start;
        let (what, inside) = match member.content() {
            Content::Array(id) => (Some("array"), self.nested(id, offset)),
            Content::Object(id) => (None, self.nested(id, offset)),
            Content::Scalar => (Some("string"), false),
            Content::Null => (None, false),
        };
        // If a large value contains a large value, only the inner one is reported.
        let Some(what) = what.filter(|_| !inside && text.len() >= LARGE) else { return inside };
        self.report.add_at(Kind::ValueLarge, offset, || Said {
            message: format!(
                "this {what} uses {} % of the limit of a context: store it elsewhere, or split it",
                percent(text.len())
            ),
            bytes: Some(text.len()),
            ..Said::default()
        });
        true
    }

    fn nested(&mut self, id: u32, offset: u32) -> bool {
        if self.depth >= self.deepest.0 {
            self.deepest = (self.depth + 1, offset);
        }
        self.container(id)
    }
}
