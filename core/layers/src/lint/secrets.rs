//! Finds secrets in the clear, by their name or by their form.
//!
//! A store seals values under sensitive names when they are written. Files that are checked before
//! a write may still contain them.

use alloc::{borrow::Cow, format, vec::Vec};

use super::{Kind as Finding, Report, Said};
use crate::{
    credentials,
    layer::{Container, Content, Layer, Member},
    marker::Fingerprint,
    name::{self, Name},
    sensitive::{Kind, SensitiveNames, is_label, is_labelled},
    value::SEALED,
};

/// Sensitive members that are not sealed, credentials anywhere, and invalid markers.
pub(super) fn check(report: &mut Report<'_, '_>, names: &SensitiveNames) {
    let layer = report.seat.context.layer;
    let mut search = Search { report, layer, names, sealed: Name::encode(SEALED) };
    search.object(0, layer.container(layer.root()), false);
}

struct Search<'s, 't, 'a> {
    report: &'s mut Report<'t, 'a>,
    layer: &'a Layer,
    names: &'s SensitiveNames,
    sealed: Name,
}

impl<'a> Search<'_, '_, 'a> {
    /// An object that starts at `offset`; `sensitive` says whether it must be sealed.
    fn object(&mut self, offset: u32, object: &'a Container, sensitive: bool) {
        let members = self.layer.members(object);
        if self.layer.find(object, &self.sealed).is_some() {
            return self.malformed(offset);
        }
        if sensitive && !members.is_empty() {
            return self.in_clear(offset);
        }
        let labels: Vec<Cow<'a, str>> =
            members.iter().filter_map(|member| self.label(member)).collect();
        for member in members {
            let name = unescaped(self.layer.name(member));
            let kind = self.kind(member);
            let seals = |name: &str| self.names.seals(name, kind);
            let sensitive =
                seals(&name) || (is_labelled(&name) && labels.iter().any(|label| seals(label)));
            self.value(member, sensitive);
        }
    }

    /// The text of a member that names the value beside it.
    fn label(&self, member: &'a Member) -> Option<Cow<'a, str>> {
        is_label(&unescaped(self.layer.name(member))).then_some(())?;
        match (member.content(), self.layer.value_text(member)) {
            (Content::Scalar, [b'"', text @ .., b'"']) => Some(unescaped(text)),
            _ => None,
        }
    }

    fn kind(&self, member: &Member) -> Kind {
        match member.content() {
            Content::Null => Kind::Flag,
            Content::Object(_) | Content::Array(_) => Kind::Whole,
            Content::Scalar => match self.layer.value_text(member) {
                [b'"' | b'{', ..] => Kind::Whole,
                [b't' | b'f', ..] => Kind::Flag,
                _ => Kind::Number,
            },
        }
    }

    fn value(&mut self, member: &'a Member, sensitive: bool) {
        let offset = member.span().start;
        match member.content() {
            Content::Null => {}
            Content::Object(id) => self.object(offset, self.layer.container(id), sensitive),
            Content::Array(id) => {
                let items = self.layer.members(self.layer.container(id));
                if sensitive && !items.is_empty() {
                    return self.in_clear(offset);
                }
                for item in items {
                    self.value(item, false);
                }
            }
            Content::Scalar => match self.layer.value_text(member) {
                marker @ [b'{', ..] if !is_marker(marker) => self.malformed(offset),
                [b'{', ..] | b"\"\"" => {}
                _ if sensitive => self.in_clear(offset),
                [b'"', text @ .., b'"'] => self.text(offset, text),
                _ => {}
            },
        }
    }

    fn text(&mut self, offset: u32, text: &[u8]) {
        let Some(what) = credentials::find(&unescaped(text)) else { return };
        self.report.add_at(Finding::CredentialInClear, offset, || Said {
            message: format!(
                "this text looks like {what}: revoke it if it is real, and store the new one under \
                 a sensitive name, which seals it"
            ),
            ..Said::default()
        });
    }

    fn in_clear(&mut self, offset: u32) {
        self.report.add_at(Finding::SecretInClear, offset, || Said {
            message:
                "this name is sensitive, but the value is not sealed: write it to the store, and \
                 use the marker `{\"$sealed\": …}` that the store returns"
                    .into(),
            ..Said::default()
        });
    }

    fn malformed(&mut self, offset: u32) {
        self.report.add_at(Finding::MarkerMalformed, offset, || Said {
            message:
                "`$sealed` must be the only member, with a marker read from a store: copy the \
                 marker again, or write the plaintext to the store"
                    .into(),
            ..Said::default()
        });
    }
}

fn is_marker(text: &[u8]) -> bool {
    core::str::from_utf8(text)
        .ok()
        .and_then(|text| text.strip_prefix("{\"$sealed\":\"")?.strip_suffix("\"}"))
        .is_some_and(|fingerprint| fingerprint.parse::<Fingerprint>().is_ok())
}

/// The string of a canonical text.
fn unescaped(text: &[u8]) -> Cow<'_, str> {
    match core::str::from_utf8(text) {
        Ok(plain) if !text.contains(&b'\\') => Cow::Borrowed(plain),
        _ => Cow::Owned(name::decode(text)),
    }
}
