//! Lists contexts in order, level by level, each along one index.
//!
//! ```text
//! no parent, no subtree     level, id from … to …           primary key
//! children of one           level, parent, id from … to …   index `children`
//! tasks below a project     its branches, then theirs       index `children` twice
//! ```
//! A prefix is a range of ids, and the next page starts after the last id. Offsets are never used.
//!
//! **A list holds no data.** Small values come with their rows; a larger one is read by itself, and
//! only its heading is kept.

use std::rc::Rc;

use nacre_core::{
    address::Address,
    error::Result,
    id::ContextId,
    level::Level,
    record::{Heading, Record},
    row::level_number,
    store::Filter,
};

use super::{SqlStore, reads::most};
use crate::sql::{Bind, Database};

/// A character that sorts after every character of an id.
const PAST_IDS: &str = "\u{7f}";

/// Which contexts of one level to list.
enum Within {
    All,
    /// Only the context itself.
    Root,
    Children(ContextId),
    /// The tasks below a project.
    Grandchildren(ContextId),
}

impl<D: Database> SqlStore<D> {
    /// A page of live contexts in order of (level, id).
    pub(super) fn list_page(
        &self,
        filter: &Filter,
        after: Option<&Address>,
        limit: usize,
    ) -> Result<Vec<Rc<Heading>>> {
        let mut page = Vec::new();
        let prefix = filter.prefix.as_deref().unwrap_or_default();
        let to = format!("{prefix}{PAST_IDS}");
        for level in Level::ALL {
            let left = limit.saturating_sub(page.len());
            let passed = after.is_some_and(|after| level < after.level);
            if left == 0 || passed || filter.level.is_some_and(|wanted| wanted != level) {
                continue;
            }
            let Some(within) = self.within(filter, level)? else { continue };
            // The smallest id after another one is that id followed by the smallest character.
            let past = after.filter(|after| after.level == level);
            let past = past.map_or_else(String::new, |after| format!("{}\0", after.id));
            let from = if past.as_str() > prefix { past.as_str() } else { prefix };
            let bounds = [Bind::Text(from), Bind::Text(&to)];
            page.extend(self.list_level(&within, filter, level, bounds, left)?);
        }
        Ok(page)
    }

    /// The contexts of a level that match the filter's parent and subtree; `None` if there cannot
    /// be any.
    fn within(&self, filter: &Filter, level: Level) -> Result<Option<Within>> {
        let below = match &filter.under {
            None => Within::All,
            Some(root) if root.level == Level::Global => Within::All,
            Some(root) if root.level > level => return Ok(None),
            Some(root) if root.level == level => Within::Root,
            Some(root) if Some(root.level) == level.above() => Within::Children(root.id.clone()),
            Some(root) => Within::Grandchildren(root.id.clone()),
        };
        let Some(parent) = &filter.parent else { return Ok(Some(below)) };
        Ok(match below {
            Within::All => Some(Within::Children(parent.clone())),
            Within::Root => Some(Within::Root),
            Within::Children(of) => (of == *parent).then_some(Within::Children(of)),
            Within::Grandchildren(project) => {
                let Some(branch) = Address::above(level, parent) else { return Ok(None) };
                let branch = self.record_of(&branch)?.filter(|branch| branch.is_live());
                let inside = branch.is_some_and(|branch| branch.parent.as_ref() == Some(&project));
                inside.then(|| Within::Children(parent.clone()))
            }
        })
    }

    fn list_level(
        &self,
        within: &Within,
        filter: &Filter,
        level: Level,
        [from, to]: [Bind<'_>; 2],
        limit: usize,
    ) -> Result<Vec<Rc<Heading>>> {
        let number = Bind::Number(level_number(level));
        let small = small_at_once(limit);
        let limit = most(limit);
        match within {
            Within::All => self.contexts(LEVEL, &[small, number, from, to, limit]),
            Within::Children(parent) => {
                let parent = Bind::Text(parent.as_str());
                self.contexts(CHILDREN, &[small, number, parent, from, to, limit])
            }
            Within::Grandchildren(project) => {
                let project = Bind::Text(project.as_str());
                self.contexts(TASKS_OF_PROJECT, &[small, project, from, to, limit])
            }
            Within::Root => {
                let Some(root) = &filter.under else { return Ok(Vec::new()) };
                let inside = |record: &Rc<Record>| {
                    let id = record.address.id.as_str();
                    let (Bind::Text(from), Bind::Text(to)) = (from, to) else { return false };
                    let parent = filter.parent.as_ref();
                    record.is_live()
                        && (from..to).contains(&id)
                        && parent.is_none_or(|parent| record.parent.as_ref() == Some(parent))
                };
                let found = self.record_of(root)?.filter(inside);
                Ok(found.map(|record| record.heading.clone()).into_iter().collect())
            }
        }
    }
}

/// The largest value that comes with its row, so that those of one list fit [`INLINE_BYTES`].
pub(super) fn small_at_once(limit: usize) -> Bind<'static> {
    Bind::Number((INLINE_BYTES / limit.max(1)).clamp(512, 16 << 10) as u64)
}

/// Most bytes of values that come with the rows of one list.
const INLINE_BYTES: usize = 4 << 20;

const LEVEL: &str = "SELECT level, id, parent, updated_at, deleted,
    CASE WHEN length(value) <= ? THEN value END FROM contexts
    WHERE level = ? AND id >= ? AND id < ? AND deleted IS NULL ORDER BY id LIMIT ?";

const CHILDREN: &str = "SELECT level, id, parent, updated_at, deleted,
    CASE WHEN length(value) <= ? THEN value END
    FROM contexts INDEXED BY children
    WHERE level = ? AND parent = ? AND id >= ? AND id < ? AND deleted IS NULL
    ORDER BY id LIMIT ?";

// CROSS JOIN stops SQLite from scanning all tasks and looking up the branch of each.
const TASKS_OF_PROJECT: &str = "SELECT level, id, parent, updated_at, deleted,
    CASE WHEN length(value) <= ? THEN value END FROM contexts
    WHERE level = 3 AND id IN (
        SELECT task.id
        FROM contexts AS branch INDEXED BY children
        CROSS JOIN contexts AS task INDEXED BY children
        WHERE branch.level = 2 AND branch.parent = ? AND branch.deleted IS NULL
            AND task.level = 3 AND task.parent = branch.id AND task.deleted IS NULL
            AND task.id >= ? AND task.id < ?
        ORDER BY task.id LIMIT ?
    ) ORDER BY id";
