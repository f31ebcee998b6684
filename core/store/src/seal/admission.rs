//! Seals single values for a context, and decides what becomes of the markers that are written to
//! it.

use super::{
    keyring::Keyring,
    secret::{NewSecret, Plaintext},
    target::{Purpose, Target},
};
use crate::entropy::Entropy;
use nacre_layers::{error::Result, marker::Fingerprint, value::Value};

/// The fingerprint of a sealed value, and its secret if the store does not hold it yet.
pub(super) type Kept = (Fingerprint, Option<NewSecret>);

impl Keyring {
    /// Seals a value, given as canonical JSON.
    pub(super) fn seal(
        &self,
        canonical: &[u8],
        target: &Target<'_>,
        entropy: &mut Entropy,
    ) -> Result<Kept> {
        let plaintext = Plaintext::new(&target.scope()?, canonical);
        let fingerprint = match target.is_blind() {
            true => self.random_fingerprint(entropy.array()),
            false => self.fingerprint(&plaintext),
        };
        if target.reads.secret(&fingerprint)?.is_some() {
            return Ok((fingerprint, None));
        }
        let new = NewSecret::new(self, fingerprint, &plaintext, entropy.array())?;
        Ok((fingerprint, Some(new)))
    }

    /// What becomes of a marker; `None` if it must be refused.
    pub(super) fn admit(
        &self,
        fingerprint: Fingerprint,
        target: &Target<'_>,
        entropy: &mut Entropy,
    ) -> Result<Option<Kept>> {
        if target.caller.is_none() {
            return Ok(Some((fingerprint, None)));
        }
        let Some(plaintext) = self.admitted(&fingerprint, target)? else { return Ok(None) };
        let (scope, canonical) = plaintext.parts();
        let is_here = scope == Some(target.scope()?);
        // Sealing it anew would give a random fingerprint, so it waits for another caller.
        let stays = is_here && (self.is_current(&fingerprint) || target.is_blind());
        if stays || (target.purpose == Purpose::Show && target.held.holds(&fingerprint)) {
            return Ok(Some((fingerprint, None)));
        }
        self.seal(canonical, target, entropy).map(Some)
    }

    /// The value of a marker; `None` if it must be refused.
    pub(super) fn open(
        &self,
        fingerprint: &Fingerprint,
        target: &Target<'_>,
    ) -> Result<Option<Value>> {
        self.admitted(fingerprint, target)?.map(|plaintext| plaintext.value()).transpose()
    }

    /// The secret of a marker, if the caller may use the marker here.
    fn admitted(
        &self,
        fingerprint: &Fingerprint,
        target: &Target<'_>,
    ) -> Result<Option<Plaintext>> {
        let Some(secret) = target.reads.secret(fingerprint)? else { return Ok(None) };
        let plaintext = Plaintext::open(self, fingerprint, &secret.sealed)?;
        let (scope, _) = plaintext.parts();
        Ok(target.admits(fingerprint, scope.as_ref())?.then_some(plaintext))
    }
}
