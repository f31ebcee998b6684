//! Columns of numbers in the tables of Unicode's data, as they compress best: the lowest bytes of all
//! numbers stand together, then the next ones.

/// Numbers of one to three bytes.
#[derive(Clone, Copy)]
pub(super) struct Column {
    bytes: &'static [u8],
    pub(super) count: usize,
}

impl Column {
    /// Takes the column of so many numbers, of so many bytes each, that a table begins with.
    pub(super) fn take(table: &mut &'static [u8], count: usize, width: usize) -> Column {
        let (bytes, rest) = table.split_at_checked(count * width).unwrap_or_default();
        *table = rest;
        Column { bytes, count }
    }

    /// A number; 0 if there are fewer.
    pub(super) fn get(self, at: usize) -> u32 {
        let planes = self.bytes.chunks_exact(self.count.max(1)).rev();
        let bytes = planes.map(|plane| plane.get(at).copied().unwrap_or(0));
        bytes.fold(0, |number, byte| number << 8 | u32::from(byte))
    }

    /// How many of some rising numbers are not above this one.
    pub(super) fn up_to(self, number: u32) -> usize {
        let (mut low, mut high) = (0, self.count);
        while low < high {
            let middle = low + (high - low) / 2;
            if self.get(middle) <= number {
                low = middle + 1;
            } else {
                high = middle;
            }
        }
        low
    }
}

/// For tests: the bytes of columns, and the file of a table as it should be.
#[cfg(test)]
pub(super) mod tests {
    use alloc::vec::Vec;
    use std::{env, fs};

    /// The bytes of a column of numbers.
    pub(crate) fn column(numbers: &[u32], width: usize) -> Vec<u8> {
        let plane = |place: usize| numbers.iter().map(move |number| number.to_le_bytes()[place]);
        (0..width).flat_map(plane).collect()
    }

    /// Whether the file is to be read; with `NACRE_UPDATE=1` it is written instead.
    pub(crate) fn is_current(name: &str, held: &[u8], made: &[u8]) -> bool {
        if env::var_os("NACRE_UPDATE").is_some() {
            let folder = concat!(env!("CARGO_MANIFEST_DIR"), "/src/text/");
            fs::write([folder, name].concat(), made).unwrap();
            return false;
        }
        assert!(held == made, "NACRE_UPDATE=1 writes {name} anew");
        true
    }
}
