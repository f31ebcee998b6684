//! The English stemmer of Snowball 3.0 ("Porter 2"), without a table of strings per step.
//!
//! Written by hand because every crate of it wants the standard library and may panic. A test
//! compares it with `snowball_stemmers_rs`, which the Snowball compiler generates.
//! <https://snowballstem.org/algorithms/english/stemmer.html>

use alloc::string::String;

/// Words that keep their form, or have one of their own.
const EXCEPTIONS: [(&str, &str); 15] = [
    ("andes", "andes"),
    ("atlas", "atlas"),
    ("bias", "bias"),
    ("cosmos", "cosmos"),
    ("early", "earli"),
    ("gently", "gentl"),
    ("howe", "howe"),
    ("idly", "idl"),
    ("news", "news"),
    ("only", "onli"),
    ("singly", "singl"),
    ("skies", "sky"),
    ("skis", "ski"),
    ("sky", "sky"),
    ("ugly", "ugli"),
];

/// Beginnings after which the first region starts, wherever their vowels are.
const PREFIXES: [&[u8]; 9] =
    [b"arsen", b"commun", b"emerg", b"gener", b"inter", b"later", b"organ", b"past", b"univers"];

const STEP_2: [(&str, &str); 24] = [
    ("ization", "ize"),
    ("ational", "ate"),
    ("iveness", "ive"),
    ("fulness", "ful"),
    ("ousness", "ous"),
    ("biliti", "ble"),
    ("tional", "tion"),
    ("lessli", "less"),
    ("ation", "ate"),
    ("alism", "al"),
    ("aliti", "al"),
    ("iviti", "ive"),
    ("fulli", "ful"),
    ("ousli", "ous"),
    ("entli", "ent"),
    ("ogist", "og"),
    ("enci", "ence"),
    ("anci", "ance"),
    ("abli", "able"),
    ("izer", "ize"),
    ("ator", "ate"),
    ("alli", "al"),
    ("bli", "ble"),
    ("ogi", "og"),
];

const STEP_3: [(&str, &str); 9] = [
    ("ational", "ate"),
    ("tional", "tion"),
    ("alize", "al"),
    ("icate", "ic"),
    ("iciti", "ic"),
    ("ative", ""),
    ("ical", "ic"),
    ("ness", ""),
    ("ful", ""),
];

/// Longest first, as in every list here: the longest ending decides.
const STEP_4: [&str; 18] = [
    "ement", "ance", "ence", "able", "ible", "ment", "ant", "ent", "ism", "ate", "iti", "ous",
    "ive", "ize", "ion", "al", "er", "ic",
];

/// The stem of a word of small ASCII letters and apostrophes; any other word as it is.
pub fn stem(word: &str) -> String {
    if !word.bytes().all(|byte| byte.is_ascii_lowercase() || byte == b'\'') {
        return word.into();
    }
    let is_word = |exception: &str| {
        exception.as_bytes().first() == word.as_bytes().first() && exception == word
    };
    if let Some((_, stem)) = EXCEPTIONS.iter().find(|(exception, _)| is_word(exception)) {
        return (*stem).into();
    }
    if word.len() < 3 {
        return word.into();
    }
    let mut stemmed = Stem::new(word);
    stemmed.plural();
    stemmed.past();
    stemmed.final_y();
    stemmed.long_ending();
    stemmed.middle_ending();
    stemmed.short_ending();
    stemmed.final_letter();
    stemmed.text.make_ascii_lowercase();
    stemmed.text
}

/// A word on its way to its stem. A `y` that is a consonant is written `Y`.
struct Stem {
    text: String,
    /// Where the first and the second region begin.
    regions: [usize; 2],
}

impl Stem {
    fn new(word: &str) -> Stem {
        let mut text = String::with_capacity(word.len() + 1);
        let mut before = b'a';
        for byte in word.strip_prefix('\'').unwrap_or(word).bytes() {
            let byte = if byte == b'y' && is_vowel(before) { b'Y' } else { byte };
            text.push(byte.into());
            before = byte;
        }
        let bytes = text.as_bytes();
        let begins = |prefix: &[u8]| prefix.first() == bytes.first() && bytes.starts_with(prefix);
        let prefix = PREFIXES.iter().find(|prefix| begins(prefix));
        let first = prefix.map_or_else(|| region(bytes, 0), |prefix| prefix.len());
        let regions = [first, region(bytes, first)];
        Stem { text, regions }
    }

    fn ends(&self, ending: &str) -> bool {
        // Most endings differ in the last letter, and a call to compare bytes costs more than that.
        self.text.as_bytes().last() == ending.as_bytes().last() && self.text.ends_with(ending)
    }

    /// The bytes before an ending of this length.
    fn before(&self, ending: usize) -> &[u8] {
        let end = self.text.len().saturating_sub(ending);
        self.text.as_bytes().get(..end).unwrap_or_default()
    }

    fn replace(&mut self, ending: usize, by: &str) {
        self.text.truncate(self.text.len().saturating_sub(ending));
        self.text.push_str(by);
    }

    /// Whether an ending of this length stands in the first or second region.
    fn in_region(&self, ending: usize, which: usize) -> bool {
        self.regions.get(which).is_some_and(|start| start.saturating_add(ending) <= self.text.len())
    }

    /// Step 1a.
    fn plural(&mut self) {
        if let Some(ending) = ["'s'", "'s", "'"].iter().find(|ending| self.ends(ending)) {
            self.replace(ending.len(), "");
        }
        if self.ends("sses") {
            self.replace(4, "ss");
        } else if self.ends("ies") || self.ends("ied") {
            let short = self.before(3).len() < 2;
            self.replace(3, if short { "ie" } else { "i" });
        } else if self.ends("s")
            && !self.ends("ss")
            && !self.ends("us")
            && self.before(2).iter().copied().any(is_vowel)
        {
            self.replace(1, "");
        }
    }

    /// Step 1b.
    fn past(&mut self) {
        if let Some(ending) = ["eedly", "eed"].iter().find(|ending| self.ends(ending)) {
            let exempt = matches!(self.before(ending.len()), b"succ" | b"proc" | b"exc");
            if self.in_region(ending.len(), 0) && !exempt {
                self.replace(ending.len(), "ee");
            }
            return;
        }
        let Some(ending) = ["ingly", "edly", "ing", "ed"].iter().find(|ending| self.ends(ending))
        else {
            return;
        };
        if *ending == "ing" {
            match self.before(3) {
                [consonant, b'y'] if !is_vowel(*consonant) => return self.replace(4, "ie"),
                b"even" | b"cann" | b"inn" | b"earr" | b"herr" | b"out" => return,
                _ => {}
            }
        }
        if self.before(ending.len()).iter().copied().any(is_vowel) {
            self.replace(ending.len(), "");
            self.mend();
        }
    }

    /// What step 1b does to the word without its ending.
    fn mend(&mut self) {
        let bytes = self.text.as_bytes();
        match bytes {
            [.., b'a', b't'] | [.., b'b', b'l'] | [.., b'i', b'z'] => self.text.push('e'),
            [b'a' | b'e' | b'o', a, b] if is_double(*a, *b) => {}
            [.., a, b] if is_double(*a, *b) => self.replace(1, ""),
            _ if self.regions.first() == Some(&bytes.len()) && ends_short(bytes) => {
                self.text.push('e');
            }
            _ => {}
        }
    }

    /// Step 1c.
    fn final_y(&mut self) {
        if let [_, .., before, b'y' | b'Y'] = self.text.as_bytes()
            && !is_vowel(*before)
        {
            self.replace(1, "i");
        }
    }

    /// Step 2.
    fn long_ending(&mut self) {
        let found = STEP_2.iter().find(|(ending, _)| self.ends(ending));
        if let Some((ending, by)) = found {
            let fits = *ending != "ogi" || self.ends("logi");
            if fits && self.in_region(ending.len(), 0) {
                self.replace(ending.len(), by);
            }
        } else if self.ends("li")
            && self.in_region(2, 0)
            && self.before(2).last().is_some_and(|last| b"cdeghkmnrt".contains(last))
        {
            self.replace(2, "");
        }
    }

    /// Step 3.
    fn middle_ending(&mut self) {
        if let Some((ending, by)) = STEP_3.iter().find(|(ending, _)| self.ends(ending)) {
            let region = usize::from(*ending == "ative");
            if self.in_region(ending.len(), 0) && self.in_region(ending.len(), region) {
                self.replace(ending.len(), by);
            }
        }
    }

    /// Step 4.
    fn short_ending(&mut self) {
        if let Some(ending) = STEP_4.iter().find(|ending| self.ends(ending)) {
            let fits = *ending != "ion" || self.ends("sion") || self.ends("tion");
            if fits && self.in_region(ending.len(), 1) {
                self.replace(ending.len(), "");
            }
        }
    }

    /// Step 5.
    fn final_letter(&mut self) {
        let drops = if self.ends("e") {
            self.in_region(1, 1) || self.in_region(1, 0) && !ends_short(self.before(1))
        } else {
            self.ends("ll") && self.in_region(1, 1)
        };
        if drops {
            self.replace(1, "");
        }
    }
}

fn is_vowel(byte: u8) -> bool {
    matches!(byte, b'a' | b'e' | b'i' | b'o' | b'u' | b'y')
}

fn is_double(a: u8, b: u8) -> bool {
    a == b && b"bdfgmnprt".contains(&a)
}

/// The place after the first consonant that follows a vowel, at or after `from`.
fn region(bytes: &[u8], from: usize) -> usize {
    let rest = bytes.get(from..).unwrap_or_default();
    let vowel = rest.iter().position(|byte| is_vowel(*byte));
    let consonant = vowel.and_then(|vowel| {
        let after = rest.get(vowel..)?.iter().position(|byte| !is_vowel(*byte))?;
        Some(from + vowel + after + 1)
    });
    consonant.unwrap_or(bytes.len())
}

/// Whether the last syllable is short.
fn ends_short(bytes: &[u8]) -> bool {
    match bytes {
        [first, last] => is_vowel(*first) && !is_vowel(*last),
        [.., before, vowel, last] => {
            let short = !is_vowel(*before)
                && is_vowel(*vowel)
                && !is_vowel(*last)
                && !b"wxY".contains(last);
            short || bytes.ends_with(b"past")
        }
        _ => false,
    }
}
