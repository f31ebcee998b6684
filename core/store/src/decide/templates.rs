//! Templates: the owner's own beside the presets, and contexts that are created from them.

use alloc::{format, rc::Rc, vec::Vec};

use super::{draft::Draft, permit::permit_edit};
use crate::{
    op::{Edit, Expect, Put},
    plan::{Reply, TemplateReply},
    record::Deed,
    sheet::{Sheet, SheetKind},
    sight::Sight,
    store::{Reads, Write},
    template::{Beginning, TEMPLATES, Template},
};
use nacre_layers::{
    address::Address,
    error::{Code, Error, Result},
    id::ContextId,
    json,
    pointer::Pointer,
    value::{Object, Value},
};

/// The presets, then the owner's own in order of name. Guests see the presets.
pub(super) fn templates(reads: &dyn Reads, sight: &dyn Sight) -> Result<Reply> {
    let mut found = Template::presets()?;
    let mut own = own(reads, sight)?;
    own.reverse();
    for sheet in own {
        found.push(of_sheet(&sheet)?);
    }
    Ok(Reply::Templates(found))
}

/// The template with a name.
pub(super) fn template(reads: &dyn Reads, sight: &dyn Sight, name: &ContextId) -> Result<Reply> {
    let template = find(reads, sight, name)?.ok_or_else(missing)?;
    Ok(Reply::Template(TemplateReply { template, is_new: false }.into()))
}

fn own(reads: &dyn Reads, sight: &dyn Sight) -> Result<Vec<Sheet>> {
    match sight.is_owner() {
        true => reads.sheets(SheetKind::Template, false, None, TEMPLATES),
        false => Ok(Vec::new()),
    }
}

fn find(reads: &dyn Reads, sight: &dyn Sight, name: &ContextId) -> Result<Option<Template>> {
    if let Some(preset) = Template::preset(name)? {
        return Ok(Some(preset));
    }
    if !sight.is_owner() {
        return Ok(None);
    }
    let sheet = reads.sheet(SheetKind::Template, name.as_str())?;
    sheet.as_ref().map(of_sheet).transpose()
}

fn of_sheet(sheet: &Sheet) -> Result<Template> {
    let name = ContextId::stored(&sheet.name).map_err(|_| crate::row::odd())?;
    match json::read(&sheet.text, crate::limits::DEPTH + 4) {
        Ok(Value::Object(members)) => Ok(Template { name, is_preset: false, members }),
        _ => Err(crate::row::odd()),
    }
}

fn missing() -> Error {
    Error::new(Code::NotFound, "there is no template with this name; list them to see the names")
}

fn refuse_preset(name: &ContextId) -> Result<()> {
    match Template::preset(name)? {
        None => Ok(()),
        Some(_) => Err(Error::new(
            Code::Forbidden,
            "this template is a preset and cannot be changed; use another name",
        )),
    }
}

impl Draft<'_, '_> {
    pub(super) fn put_template(&mut self, name: &ContextId, members: &Object) -> Result<Reply> {
        refuse_preset(name)?;
        let template = Template::check(name, members.clone())?;
        let global = Address::global();
        self.refuse_secrets(&template.clear(), &global, None, None)?;
        let existing = find(&self.store, self.asker.sight, name)?;
        let is_new = existing.is_none();
        if existing.as_ref() != Some(&template) {
            if is_new {
                self.make_room_for_template()?;
            }
            self.write(Write::Sheet(Sheet {
                kind: SheetKind::Template,
                name: name.as_str().into(),
                waits: false,
                text: Rc::from(json::write(&members.clone().into())),
            }));
            self.template_deed("put_template", name);
        }
        Ok(Reply::Template(TemplateReply { template, is_new }.into()))
    }

    fn make_room_for_template(&self) -> Result<()> {
        if own(&self.store, self.asker.sight)?.len() < TEMPLATES {
            return Ok(());
        }
        let detail = "a store can hold 100 templates of your own; delete one first";
        Err(Error::new(Code::TooLarge, detail).limit(TEMPLATES as u64))
    }

    pub(super) fn delete_template(&mut self, name: &ContextId) -> Result<Reply> {
        refuse_preset(name)?;
        find(&self.store, self.asker.sight, name)?.ok_or_else(missing)?;
        self.write(Write::Sheet(Sheet::ended(SheetKind::Template, name.as_str())));
        self.template_deed("delete_template", name);
        Ok(Reply::Ended)
    }

    /// Creates a context from a template, as any other context is created.
    pub(super) fn begin(&mut self, beginning: &Beginning) -> Result<Reply> {
        let Beginning { template, address, parent, variables, customizations } = beginning;
        // Templates are looked for after the context, so that a guest learns nothing of places.
        let put = |data, rules| Put {
            address: address.clone(),
            data,
            parent: parent.clone(),
            rules: Some(rules),
            summary: Some(format!("from template {template}")),
            create_parents: false,
            expect: Expect::Absent,
        };
        let empty = Edit::Put(put(Object::new(), Default::default()));
        permit_edit(&self.store, self.asker.caller, self.asker.sight, &empty)?;
        let template = find(&self.store, self.asker.sight, template)?.ok_or_else(missing)?;
        let start = template.start(address.level, variables, customizations.as_ref())?;
        self.put(&put(start.data, start.rules))
    }

    fn template_deed(&mut self, action: &'static str, name: &ContextId) {
        let pointers = alloc::vec![Pointer::from_tokens([name.as_str()]).into()];
        self.deed(Deed { action, address: None, version: None, member: None, pointers });
    }
}
