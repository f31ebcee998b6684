//! The four levels and their order.

use core::fmt;

use crate::error::{Code, Error, Result};

/// One of the four layers, upper first.
///
/// ```
/// use nacre_layers::level::Level;
///
/// assert!(Level::Global < Level::Task);
/// assert_eq!(Level::parse("branch")?.above(), Some(Level::Project));
/// # Ok::<(), nacre_layers::error::Error>(())
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Level {
    /// The layer above everything. There is one, with the id `global`.
    Global,
    /// A project, below the global layer.
    Project,
    /// A branch: a line of work in a project.
    Branch,
    /// A task on a branch.
    Task,
}

/// Most layers in a chain: one for each level.
pub const LAYERS: usize = Level::ALL.len();

impl Level {
    /// All levels, upper first.
    pub const ALL: [Level; 4] = [Level::Global, Level::Project, Level::Branch, Level::Task];

    /// The name used in URLs, JSON and SQL.
    pub const fn as_str(self) -> &'static str {
        match self {
            Level::Global => "global",
            Level::Project => "project",
            Level::Branch => "branch",
            Level::Task => "task",
        }
    }

    /// Reads a level's name.
    ///
    /// # Errors
    /// `invalid-id` for anything but the four names.
    pub fn parse(text: &str) -> Result<Level> {
        Level::ALL.into_iter().find(|level| level.as_str() == text).ok_or_else(|| {
            Error::new(Code::InvalidId, "a level must be one of global, project, branch, task")
        })
    }

    /// The level above; `None` for global.
    pub const fn above(self) -> Option<Level> {
        match self {
            Level::Global => None,
            Level::Project => Some(Level::Global),
            Level::Branch => Some(Level::Project),
            Level::Task => Some(Level::Branch),
        }
    }

    /// The level below; `None` for task.
    pub const fn below(self) -> Option<Level> {
        match self {
            Level::Global => Some(Level::Project),
            Level::Project => Some(Level::Branch),
            Level::Branch => Some(Level::Task),
            Level::Task => None,
        }
    }
}

impl fmt::Display for Level {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}
