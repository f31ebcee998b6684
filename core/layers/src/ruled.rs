//! Walks the places of a layer that the rules of a chain are about.

use core::ops::ControlFlow;

use crate::{
    layer::{Content, Layer, Member},
    name,
    pointer::Pointer,
    rules::Scope,
};

/// A place in a layer with a rule at or below it.
pub(crate) struct Ruled<'p, 'l> {
    /// The rules of the chain here.
    pub(crate) scope: &'p Scope<'p>,
    /// The value here; `None` for the whole layer.
    pub(crate) member: Option<&'l Member>,
    /// Whether a lock overrules the value. Then the walk does not go below.
    pub(crate) is_blocked: bool,
    /// Where it is in the layer.
    pub(crate) path: &'p mut Pointer,
}

/// Visits these places of the layer `of`, each before those below it, until `visit` wants no more.
/// The layer is at position `layer` of the chain with the rules `scope`.
pub(crate) fn visit_ruled<'l>(
    scope: &Scope<'_>,
    layer: usize,
    of: &'l Layer,
    visit: &mut dyn FnMut(Ruled<'_, 'l>) -> ControlFlow<()>,
) -> ControlFlow<()> {
    Walk { layer, of, path: Pointer::root(), visit }.place(scope, None)
}

struct Walk<'w, 'l> {
    layer: usize,
    of: &'l Layer,
    path: Pointer,
    visit: &'w mut dyn FnMut(Ruled<'_, 'l>) -> ControlFlow<()>,
}

impl<'l> Walk<'_, 'l> {
    fn place(&mut self, scope: &Scope<'_>, member: Option<&'l Member>) -> ControlFlow<()> {
        let content = member.map_or(Content::Object(self.of.root()), Member::content);
        let is_blocked = scope.blocks(self.layer, content);
        (self.visit)(Ruled { scope, member, is_blocked, path: &mut self.path })?;
        let (Content::Object(object), false) = (content, is_blocked) else {
            return ControlFlow::Continue(());
        };
        for child in &scope.children {
            if let Some(member) = self.of.find(self.of.container(object), &child.name) {
                self.path.push(&name::decode(&child.name.text));
                self.place(child, Some(member))?;
                self.path.pop();
            }
        }
        ControlFlow::Continue(())
    }
}
