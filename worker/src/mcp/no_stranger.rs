//! Nobody gets in without a token.

use nacre_core::moment::Moment;

use crate::auth::Identity;

/// Who asks without a token: nobody.
pub(crate) fn stranger(_authorization: Option<&str>, _now: Moment) -> Option<Identity> {
    None
}
