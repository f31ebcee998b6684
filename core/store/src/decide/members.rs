//! Sharing of projects: adds and removes members.

use alloc::vec::Vec;

use super::draft::Draft;
use crate::{
    plan::Reply,
    record::{Deed, Member, Terms},
    store::{Reads, Write},
};
use nacre_layers::{
    address::Address,
    error::{Code, Error, Result},
    id::{ContextId, User},
    level::Level,
};

impl Draft<'_, '_> {
    pub(super) fn put_member(
        &mut self,
        user: &User,
        project: &ContextId,
        terms: Terms,
    ) -> Result<Reply> {
        let address = Address { level: Level::Project, id: project.clone() };
        self.live(&address)?;
        if *user == self.asker.caller.owner {
            return Err(Error::new(
                Code::InvalidRequest,
                "the owner cannot be a member of their own store",
            ));
        }
        let existing = self.membership(user, project)?;
        if let Some(member) = existing.as_ref().filter(|member| member.terms == terms) {
            return Ok(Reply::Member(member.clone()));
        }
        let (since, seq) = match existing {
            // Members from before commits were noted: nobody knows what they saw first.
            Some(member) if member.seq > 0 => (member.since, member.seq),
            _ => (self.setting.at, self.seq),
        };
        let (user, project) = (user.clone(), project.clone());
        let member = Member { user, project, terms, since, seq };
        self.write(Write::Member(member.clone()));
        self.member_deed("put_member", address, &member.user);
        Ok(Reply::Member(member))
    }

    pub(super) fn delete_member(&mut self, user: &User, project: &ContextId) -> Result<Reply> {
        if self.membership(user, project)?.is_none() {
            return Err(Error::new(Code::NotFound, "the project is not shared with this user"));
        }
        self.write(Write::Expel { user: user.clone(), project: project.clone() });
        let address = Address { level: Level::Project, id: project.clone() };
        self.member_deed("delete_member", address, user);
        Ok(Reply::Expelled)
    }

    fn membership(&self, user: &User, project: &ContextId) -> Result<Option<Member>> {
        let members = self.store.members(Some(user))?;
        Ok(members.into_iter().find(|member| member.project == *project))
    }

    fn member_deed(&mut self, action: &'static str, address: Address, user: &User) {
        self.deed(Deed {
            action,
            address: Some(address),
            version: None,
            member: Some(user.clone()),
            pointers: Vec::new(),
        });
    }
}
