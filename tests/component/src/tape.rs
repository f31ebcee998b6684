//! Arguments that should not stop the component: pieces of the vectors, damaged at random. One seed
//! gives the same arguments everywhere.

use std::{fs, path::Path};

/// A small random source (SplitMix64); what it draws is drawn again by the same seed.
#[derive(Clone, Debug)]
pub struct Dice(pub u64);

impl Dice {
    /// Any number.
    pub fn number(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mixed = (self.0 ^ (self.0 >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        let mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        mixed ^ (mixed >> 31)
    }

    /// A number below `end`.
    pub fn below(&mut self, end: usize) -> usize {
        usize::try_from(self.number() % end.max(1) as u64).unwrap_or_default()
    }

    /// One of them.
    pub fn pick<'a, T>(&mut self, of: &'a [T]) -> &'a T {
        &of[self.below(of.len())]
    }
}

/// JSON texts of all kinds, from the vectors: whole cases and every value in them.
pub fn texts() -> Vec<String> {
    let mut found = Vec::new();
    let topics = Path::new(env!("CARGO_MANIFEST_DIR")).join("../vectors");
    let mut folders = vec![topics];
    while let Some(folder) = folders.pop() {
        for entry in fs::read_dir(folder).expect("vectors") {
            let path = entry.expect("an entry").path();
            if path.is_dir() {
                folders.push(path);
            } else if let Ok(value) = serde_json::from_slice(&fs::read(path).expect("a vector")) {
                pieces(&value, &mut found);
            }
        }
    }
    found.sort();
    found.dedup();
    found.retain(|text| text.len() < 4096);
    found
}

fn pieces(value: &serde_json::Value, found: &mut Vec<String>) {
    found.push(value.to_string());
    match value {
        serde_json::Value::Array(items) => items.iter().for_each(|item| pieces(item, found)),
        serde_json::Value::Object(members) => {
            members.values().for_each(|member| pieces(member, found));
        }
        // A text may be JSON itself, or a pointer.
        serde_json::Value::String(text) => found.push(text.clone()),
        _ => {}
    }
}

/// One of the texts, as it is or damaged. What is no UTF-8 then is replaced, for a host cannot pass it.
pub fn draw(dice: &mut Dice, texts: &[String]) -> String {
    let mut text = dice.pick(texts).clone().into_bytes();
    match dice.below(10) {
        0..5 => {}
        5 => {
            let length = dice.below(64);
            text = (0..length).map(|_| dice.number() as u8).collect();
        }
        6 => text.truncate(dice.below(text.len() + 1)),
        7 => {
            let other = dice.pick(texts);
            let at = dice.below(text.len() + 1);
            text.splice(at..at, other.bytes());
        }
        _ => {
            for _ in 0..=dice.below(4) {
                let at = dice.below(text.len());
                if let Some(byte) = text.get_mut(at) {
                    *byte = dice.number() as u8;
                }
            }
        }
    }
    String::from_utf8_lossy(&text).into_owned()
}
