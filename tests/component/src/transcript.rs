//! What was asked and answered, for other hosts to replay: one call a line.
//!
//! ```text
//! {"topic","title","call","arguments","ok" | "error"}
//! ```

use std::{cell::RefCell, fs, path::PathBuf};

use serde_json::Value;
use wasmtime::{Result, error::Context as _};

use crate::{
    Call, Host, World,
    call::{Answer, answer_to_json},
};

/// An instance whose calls are noted.
pub struct Transcript {
    world: World,
    host: RefCell<Host>,
    lines: RefCell<Vec<Value>>,
}

impl Transcript {
    /// A transcript of a new instance, empty.
    ///
    /// # Errors
    /// As [`Host::new`].
    pub fn of(world: World) -> Result<Transcript> {
        let host = RefCell::new(Host::of(world)?);
        Ok(Transcript { world, host, lines: RefCell::default() })
    }

    /// Makes a call and notes it.
    ///
    /// # Panics
    /// When the component traps.
    pub fn call(&self, topic: &str, title: &Value, call: &Call) -> Answer {
        let answer = call.run(&mut self.host.borrow_mut()).unwrap_or_else(|trap| {
            panic!("{topic}, {title}: the component broke off: {trap:?}");
        });
        let mut line = call.to_json();
        line["topic"] = topic.into();
        line["title"] = title.clone();
        if let (Some(line), Value::Object(told)) = (line.as_object_mut(), answer_to_json(&answer)) {
            line.extend(told);
        }
        self.lines.borrow_mut().push(line);
        answer
    }

    /// Writes what was noted to where other hosts read it.
    ///
    /// # Errors
    /// When it cannot be written.
    pub fn write(&self) -> Result<()> {
        let path = self.path();
        let lines: String = self.lines.borrow().iter().map(|line| format!("{line}\n")).collect();
        let folder = path.parent().context("a folder")?;
        fs::create_dir_all(folder)?;
        fs::write(&path, lines).with_context(|| format!("writing {}", path.display()))
    }

    /// Where the transcript is: in a folder beside the component, under the component's name.
    fn path(&self) -> PathBuf {
        let component = self.world.path();
        let name = component.with_extension("ndjson");
        component.with_file_name("component").join(name.file_name().unwrap_or_default())
    }
}
