//! DEFLATE (RFC 1951) of stored values, with tables that are made once.

use alloc::{boxed::Box, vec::Vec};
use core::cell::RefCell;

use miniz_oxide::{
    DataFormat,
    deflate::{
        CompressionLevel,
        core::{CompressorOxide, TDEFLFlush, TDEFLStatus, compress},
    },
};

/// Shortest value that is compressed, in bytes. Below it compression would save a tenth of a small
/// value (0.2 % of a store with history) and take several times as long as sealing.
const COMPRESS_FROM: usize = 192;

/// The DEFLATE level, chosen where the curve bends. Two contexts of the GOV.UK set, compressed
/// alone (release, native, best of 5):
///
/// | level | 4,167 B of JSON | 46,627 B of JSON |
/// |---|---|---|
/// | 1 | 539 B, 43 µs | 12,396 B, 98 µs |
/// | 2 | 482 B, 47 µs | 9,901 B, 169 µs |
/// | **3** | **445 B, 48 µs** | **9,110 B, 254 µs** |
/// | 6 | 437 B, 49 µs | 8,863 B, 559 µs |
/// | 9 | 436 B, 50 µs | 8,850 B, 730 µs |
///
/// About 38 µs of each native figure is fresh memory for the tables (300 KB), which a ring of keys
/// pays once. `seal_row` as a whole: 52 µs and 283 µs native, 21 µs and 335 µs in wasm (Node); `open_row`:
/// 4 µs and 34 µs native, 12 µs and 136 µs in wasm.
const LEVEL: u8 = 3;

/// Compresses one value after another. Its tables take 300 KB; to make them takes longer than to
/// compress a small value.
#[derive(Default)]
pub(crate) struct Compressor(RefCell<Option<Box<CompressorOxide>>>);

impl Compressor {
    /// Appends `plain` to `out` as a DEFLATE stream if that is shorter; otherwise leaves `out` as it
    /// was. Returns whether it did.
    pub(crate) fn append(&self, plain: &[u8], out: &mut Vec<u8>) -> bool {
        if plain.len() < COMPRESS_FROM {
            return false;
        }
        let mut engine = self.take();
        let start = out.len();
        out.resize(start + plain.len() - 1, 0);
        let room = out.get_mut(start..).unwrap_or_default();
        let (status, _, written) = compress(&mut engine, plain, room, TDEFLFlush::Finish);
        let shorter = status == TDEFLStatus::Done;
        out.truncate(if shorter { start + written } else { start });
        if let Ok(mut kept) = self.0.try_borrow_mut() {
            *kept = Some(engine);
        }
        shorter
    }

    /// The engine of the last value, as if it were new.
    fn take(&self) -> Box<CompressorOxide> {
        let kept = self.0.try_borrow_mut().ok().and_then(|mut kept| kept.take());
        if let Some(mut engine) = kept {
            engine.reset();
            return engine;
        }
        let level = CompressionLevel::DefaultLevel;
        let mut engine = Box::new(CompressorOxide::with_format_and_level(DataFormat::Raw, level));
        engine.set_compression_level_raw(LEVEL);
        engine
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_value_comes_out_as_from_a_new_compressor_whatever_came_before() {
        let values: [&[u8]; 4] =
            [&[b'x'; 3000], &b"[{\"a\":1},{\"b\":2}]".repeat(40), &[7; 192], &[b'x'; 3000]];
        let kept = Compressor::default();
        for value in values {
            let (mut one, mut other) = (Vec::new(), Vec::new());
            assert!(kept.append(value, &mut one));
            assert!(Compressor::default().append(value, &mut other));
            assert_eq!(one, other);
        }
        // One that does not become shorter leaves nothing behind.
        let noise = crate::entropy::Entropy::from_seed([2; 32]).array::<500>();
        assert!(!kept.append(&noise, &mut Vec::new()));
        assert!(kept.append(values[0], &mut Vec::new()));
    }
}
