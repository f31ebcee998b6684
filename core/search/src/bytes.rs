//! Rows as bytes: integers of seven bits a byte, lowest first, and texts after their length.

use alloc::vec::Vec;

/// Adds an integer.
pub fn put(out: &mut Vec<u8>, mut number: u32) {
    while number > 0x7f {
        out.push((number & 0x7f) as u8 | 0x80);
        number >>= 7;
    }
    out.push(number as u8);
}

/// Adds the number of bytes, and the bytes.
pub fn put_bytes(out: &mut Vec<u8>, bytes: &[u8]) {
    put(out, u32::try_from(bytes.len()).unwrap_or(u32::MAX));
    out.extend_from_slice(bytes);
}

/// Takes an integer; `None` if there is none, or more than 32 bits.
#[inline]
pub fn take(bytes: &mut &[u8]) -> Option<u32> {
    let (first, rest) = bytes.split_first()?;
    *bytes = rest;
    if *first < 0x80 { Some(u32::from(*first)) } else { take_more(bytes, u32::from(*first & 0x7f)) }
}

fn take_more(bytes: &mut &[u8], mut number: u32) -> Option<u32> {
    for shift in [7, 14, 21, 28] {
        let (next, rest) = bytes.split_first()?;
        *bytes = rest;
        number |= u32::from(next & 0x7f).checked_shl(shift)?;
        if *next < 0x80 {
            return (shift < 28 || *next < 0x10).then_some(number);
        }
    }
    None
}

/// Takes what [`put_bytes`] added.
pub fn take_bytes<'b>(bytes: &mut &'b [u8]) -> Option<&'b [u8]> {
    let length = take(bytes)? as usize;
    let (taken, rest) = bytes.split_at_checked(length)?;
    *bytes = rest;
    Some(taken)
}

/// Takes a text.
pub fn take_text<'b>(bytes: &mut &'b [u8]) -> Option<&'b str> {
    core::str::from_utf8(take_bytes(bytes)?).ok()
}
