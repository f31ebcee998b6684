//! `lint`: findings about a set of layers.

use alloc::{string::String, vec::Vec};

use nacre_core::{
    address::Address,
    error::Result,
    id::ContextId,
    layer::Layer,
    lint::{self, Finding, Severity, lint},
    rules::Rules,
    sensitive::SensitiveNames,
};

use crate::{
    Component,
    bindings::exports::nacre::context::{
        lint::{self as wit, Guest},
        types,
    },
    bounds::check_memory,
    documents::{document, rules},
};

/// A context that owns its parts.
struct Given {
    address: Address,
    parent: Option<ContextId>,
    layer: Layer,
    rules: Rules,
}

impl Guest for Component {
    fn check(
        contexts: Vec<wit::Context>,
        sensitive: Option<String>,
    ) -> Result<Vec<wit::Finding>, types::Error> {
        let names = sensitive.as_deref().map(SensitiveNames::parse).transpose()?;
        let given: Vec<Given> = contexts.into_iter().map(Given::of).collect::<Result<_>>()?;
        let contexts: Vec<_> = given.iter().map(Given::context).collect();
        Ok(lint(&contexts, &names.unwrap_or_default()).into_iter().map(Into::into).collect())
    }
}

impl Given {
    fn of(context: wit::Context) -> Result<Given> {
        check_memory()?;
        Ok(Given {
            address: context.address.try_into()?,
            parent: context.parent.as_deref().map(ContextId::parse).transpose()?,
            // Data above the limit is a finding, not an error.
            layer: Layer::from_value(&document(&context.data)?)?,
            rules: rules(context.rules.as_deref())?,
        })
    }

    fn context(&self) -> lint::Context<'_> {
        let Given { address, parent, layer, rules } = self;
        lint::Context { address: address.clone(), parent: parent.clone(), layer, rules }
    }
}

impl From<Finding> for wit::Finding {
    fn from(finding: Finding) -> wit::Finding {
        wit::Finding {
            kind: finding.kind.as_str().into(),
            severity: match finding.severity() {
                Severity::Error => wit::Severity::Error,
                Severity::Warning => wit::Severity::Warning,
                Severity::Note => wit::Severity::Note,
            },
            address: (&finding.address).into(),
            pointer: finding.pointer,
            message: finding.message,
            other: finding.other.as_ref().map(Into::into),
            bytes: finding.bytes.map(|bytes| bytes as u64),
        }
    }
}
