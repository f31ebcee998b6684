//! `resolver`: chains of layers that the caller holds, and edits of single documents.

use alloc::{
    string::{String, ToString},
    vec::Vec,
};

use nacre_core::{
    address::Address,
    diff::diff,
    error::{Code, Error, Result},
    explain::{self, explain_bounded},
    id::ContextId,
    json,
    layer::Layer,
    level::{LAYERS, Level},
    patch::{self, JsonPatch},
    pointer::Pointer,
    resolve::{Link, resolve, view_hash},
    rules::Rules,
    value::Value,
};

use crate::{
    Component,
    bindings::exports::nacre::context::{
        resolver::{
            self as wit, Explanation, Guest, GuestPreparedLayer, Ignored, Origin, PreparedLayer,
            PreparedLayerBorrow,
        },
        types,
    },
    bounds::check_memory,
    convert::json_text,
    documents::{body, document, layer, rules},
};

/// A layer with its rules and its place.
pub(crate) struct Prepared {
    address: Address,
    layer: Layer,
    rules: Rules,
}

impl Guest for Component {
    type PreparedLayer = Prepared;

    fn resolve(chain: Vec<wit::Layer>) -> Result<String, types::Error> {
        Ok(json_text(resolve(&links(&prepare_all(chain)?)?)))
    }

    fn resolve_prepared(chain: Vec<PreparedLayerBorrow<'_>>) -> Result<String, types::Error> {
        check_memory()?;
        Ok(json_text(resolve(&links(chain.iter().map(|layer| layer.get::<Prepared>()))?)))
    }

    fn explain(chain: Vec<wit::Layer>) -> Result<Explanation, types::Error> {
        let chain = prepare_all(chain)?;
        Ok(explanation(explain_bounded(&links(&chain)?, &Pointer::root(), [0; LAYERS])?))
    }

    fn hash(chain: Vec<wit::Layer>) -> Result<String, types::Error> {
        Ok(view_hash(&links(&prepare_all(chain)?)?).to_string())
    }

    fn diff(before: String, after: String) -> Result<String, types::Error> {
        let view = |text: &str| Layer::from_value(&document(text)?);
        let patch = diff(&view(&before)?, &view(&after)?)?;
        Ok(json_text(json::write(&patch.to_value())))
    }

    fn merge_patch(target: String, patch: String) -> Result<String, types::Error> {
        let mut target = document(&target)?;
        patch::merge_patch(&mut target, document(&patch)?);
        Ok(json_text(json::write(&target)))
    }

    fn json_patch(target: String, patch: String) -> Result<String, types::Error> {
        edit(&target, |target| JsonPatch::parse(body(&patch)?)?.apply(target))
    }

    fn append(target: String, list: String, values: String) -> Result<String, types::Error> {
        edit(&target, |target| {
            let Value::Array(values) = body(&values)? else {
                return Err(Error::new(Code::InvalidRequest, "the values must be an array").at(""));
            };
            patch::append(target, &Pointer::parse(list)?, values)
        })
    }

    fn unset(target: String, pointers: Vec<String>) -> Result<String, types::Error> {
        edit(&target, |target| {
            let pointers: Vec<_> =
                pointers.into_iter().map(Pointer::parse).collect::<Result<_>>()?;
            patch::unset(target, &pointers)
        })
    }

    fn canonical(text: String) -> Result<String, types::Error> {
        Ok(json_text(json::write(&document(&text)?)))
    }
}

impl GuestPreparedLayer for Prepared {
    fn prepare(layer: wit::Layer) -> Result<PreparedLayer, types::Error> {
        Ok(PreparedLayer::new(Prepared::of(&layer)?))
    }

    fn data(&self) -> String {
        json_text(self.layer.text().to_vec())
    }

    fn hash(&self) -> String {
        self.layer.hash().to_string()
    }
}

impl Prepared {
    /// Reads a layer.
    pub(crate) fn of(given: &wit::Layer) -> Result<Prepared> {
        check_memory()?;
        let address = Address::new(given.level.into(), ContextId::parse(&given.id)?)?;
        Ok(Prepared { address, layer: layer(&given.data)?, rules: rules(given.rules.as_deref())? })
    }

    fn link(&self) -> Link<'_> {
        Link { layer: &self.layer, rules: &self.rules }
    }
}

/// Reads a chain.
pub(crate) fn prepare_all(chain: Vec<wit::Layer>) -> Result<Vec<Prepared>> {
    chain.iter().take(Level::ALL.len() + 1).map(Prepared::of).collect()
}

/// The chain, after its order was checked.
fn links<'l>(chain: impl IntoIterator<Item = &'l Prepared>) -> Result<Vec<Link<'l>>> {
    let mut above: Option<Level> = None;
    let mut links = Vec::new();
    for layer in chain {
        if above.is_some_and(|above| above >= layer.address.level) {
            return Err(Error::new(
                Code::InvalidRequest,
                "the layers must be in the order global, project, branch, task",
            ));
        }
        above = Some(layer.address.level);
        links.push(layer.link());
    }
    Ok(links)
}

/// Edits a document.
fn edit(text: &str, edit: impl FnOnce(&mut Value) -> Result<()>) -> Result<String, types::Error> {
    let mut value = document(text)?;
    edit(&mut value)?;
    Ok(json_text(json::write(&value)))
}

fn explanation(found: explain::Explanation) -> Explanation {
    let layer = |layer: usize| u32::try_from(layer).unwrap_or_default();
    let origins = found.origins.into_iter().map(|origin| Origin {
        pointer: origin.pointer,
        layer: layer(origin.layer),
        rule: origin.rule.into_owned(),
        shadowed: origin.shadowed.into_iter().map(u32::from).collect(),
    });
    let ignored = found.ignored.into_iter().map(|ignored| Ignored {
        pointer: ignored.pointer,
        layer: layer(ignored.layer),
        locked_by: ignored.locked_by.map(layer),
    });
    Explanation { origins: origins.collect(), ignored: ignored.collect() }
}
