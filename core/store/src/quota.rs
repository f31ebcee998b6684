//! Quotas: how much of a store one user may use. All defaults are in the one table here, and a
//! deployment may set others.
//!
//! A *rate* is a number of requests in a time; past it the answer is `rate-limited`, and waiting
//! helps. A *stock* is an amount that stays; past it the answer is `quota-exceeded`, until the user
//! has deleted something. What makes a stock smaller is always allowed.
//!
//! The decisions are here. A shell stores the numbers and passes them in.

use alloc::{collections::BTreeMap, format, string::String, vec::Vec};

use crate::moment::Moment;
use nacre_layers::{
    error::{Code, Error, Result},
    id::User,
    json,
    value::{Object, Value},
};

macro_rules! quotas {
    ($($(#[doc = $what:literal])+ $variant:ident = $name:literal, $owner:expr, $guest:expr;)*) => {
        /// What is limited.
        #[derive(Clone, Copy, Debug, PartialEq, Eq)]
        pub enum Quota { $($(#[doc = $what])+ $variant),* }

        impl Quota {
            /// All quotas, in the order of the table.
            pub const ALL: &'static [Quota] = &[$(Quota::$variant),*];

            /// The name in settings and answers.
            pub const fn as_str(self) -> &'static str {
                match self { $(Quota::$variant => $name),* }
            }

            /// What it counts, in a sentence for the documentation.
            pub const fn what(self) -> &'static str {
                match self { $(Quota::$variant => concat!($($what),+)),* }
            }
        }

        impl Default for Quotas {
            fn default() -> Quotas {
                Quotas { owner: [$($owner),*], guest: [$($guest),*] }
            }
        }
    };
}

const COUNT: usize = Quota::ALL.len();

/// The limits of a deployment, for the owner of a store and for each guest. `contexts`,
/// `stored_bytes` and `members` count the whole store, whoever writes; guests have the owner's.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Quotas {
    owner: [u64; COUNT],
    guest: [u64; COUNT],
}

quotas! {
    /// Requests and socket messages in a second, on average.
    Requests = "requests_per_second", 200, 100;
    /// Requests and socket messages at once after a pause.
    Burst = "burst", 1000, 500;
    /// Searches in a second, on average; ten times as many at once after a pause.
    Searches = "searches_per_second", 50, 10;
    /// Contexts in the store that are not deleted.
    Contexts = "contexts", 100_000, 100_000;
    /// Bytes of the store: contexts, versions, entries, secrets, promotions and templates, as they are stored.
    StoredBytes = "stored_bytes", 4 << 30, 4 << 30;
    /// Open sockets of a user.
    Sockets = "sockets", 64, 16;
    /// Subscriptions of a user, over all sockets.
    Subscriptions = "subscriptions", 2000, 500;
    /// Bytes of a user's stored answers to idempotency keys, as they are stored. Each is kept a day.
    IdempotencyBytes = "idempotency_bytes", 64 << 20, 16 << 20;
    /// Memberships in the store: one for each user and project.
    Members = "members", 1000, 1000;
}

/// The names of settings for guests begin with this.
const GUEST: &str = "guest.";

impl Quotas {
    /// The defaults with the settings of a deployment: `contexts=500,guest.sockets=4`.
    ///
    /// ```
    /// use nacre_store::quota::{Quota, Quotas};
    ///
    /// let quotas = Quotas::parse("contexts=500, guest.sockets=4")?;
    /// assert_eq!(quotas.limit(Quota::Contexts, true), 500);
    /// assert_eq!(quotas.limit(Quota::Sockets, false), 4);
    /// # Ok::<(), nacre_layers::error::Error>(())
    /// ```
    ///
    /// # Errors
    /// `invalid-request` for an unknown name, or a value that is not a whole number from 1 on.
    pub fn parse(text: &str) -> Result<Quotas> {
        let mut quotas = Quotas::default();
        for setting in text.split(',').map(str::trim).filter(|setting| !setting.is_empty()) {
            let (name, number) = setting.split_once('=').ok_or_else(|| unknown(setting))?;
            let (of_guests, name) = match name.trim().strip_prefix(GUEST) {
                Some(name) => (true, name),
                None => (false, name.trim()),
            };
            let place = Quota::ALL.iter().position(|quota| quota.as_str() == name);
            let number = number.trim().parse().ok().filter(|number| *number > 0);
            let table = if of_guests { &mut quotas.guest } else { &mut quotas.owner };
            match (place.and_then(|place| table.get_mut(place)), number) {
                (Some(limit), Some(number)) => *limit = number,
                _ => return Err(unknown(setting)),
            }
        }
        Ok(quotas)
    }

    /// A limit, for the owner or for a guest.
    pub fn limit(&self, quota: Quota, is_owner: bool) -> u64 {
        let table = if is_owner { &self.owner } else { &self.guest };
        table.get(quota as usize).copied().unwrap_or_default()
    }

    /// Refuses to let a stock grow past its limit.
    ///
    /// # Errors
    /// `quota-exceeded` with the limit.
    pub fn permit(&self, quota: Quota, is_owner: bool, before: u64, after: u64) -> Result<()> {
        let limit = self.limit(quota, is_owner);
        if after <= limit || after <= before {
            return Ok(());
        }
        let name = quota.as_str();
        let detail = format!("the quota `{name}` is {limit}; this request would make it {after}");
        Err(Error::new(Code::QuotaExceeded, detail).limit(limit))
    }
}

fn unknown(setting: &str) -> Error {
    let detail = format!("`{setting}` must be `name=number`, with a name of the table of quotas");
    Error::new(Code::InvalidRequest, detail)
}

/// What a store holds, counted exactly.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Used {
    /// Contexts that are not deleted.
    pub contexts: u64,
    /// Bytes of contexts, versions, entries, secrets, promotions and templates.
    pub stored_bytes: u64,
    /// Memberships.
    pub members: u64,
    /// Bytes of stored answers, for each user that has any.
    pub idempotency: BTreeMap<User, u64>,
}

impl Used {
    /// Refuses a commit that makes a stock larger than its limit; `self` is what it leads to.
    ///
    /// # Errors
    /// `quota-exceeded`.
    pub fn permit(&self, before: &Used, quotas: &Quotas, owner: &User) -> Result<()> {
        let stocks = [
            (Quota::Contexts, before.contexts, self.contexts),
            (Quota::StoredBytes, before.stored_bytes, self.stored_bytes),
            (Quota::Members, before.members, self.members),
        ];
        for (quota, before, after) in stocks {
            quotas.permit(quota, true, before, after)?;
        }
        for (user, after) in &self.idempotency {
            let quota = Quota::IdempotencyBytes;
            quotas.permit(quota, user == owner, before.of_answers(user), *after)?;
        }
        Ok(())
    }

    /// Bytes of the stored answers of a user.
    pub fn of_answers(&self, user: &User) -> u64 {
        self.idempotency.get(user).copied().unwrap_or_default()
    }

    /// Adds and removes bytes of stored answers of a user.
    pub fn change_answers(&mut self, user: &User, added: u64, removed: u64) {
        let bytes = (self.of_answers(user) + added).saturating_sub(removed);
        match bytes {
            0 => self.idempotency.remove(user),
            bytes => self.idempotency.insert(user.clone(), bytes),
        };
    }

    /// The counts as text, for a row.
    pub fn to_text(&self) -> Vec<u8> {
        let mut answers = Object::new();
        for (user, bytes) in &self.idempotency {
            answers.insert(user.as_str(), (*bytes).into());
        }
        let mut object = Object::new();
        object.insert("contexts", self.contexts.into());
        object.insert("idempotency", answers.into());
        object.insert("members", self.members.into());
        object.insert("stored_bytes", self.stored_bytes.into());
        json::write(&object.into())
    }

    /// Reads the text of [`Used::to_text`]; `None` for any other.
    pub fn of_text(text: &[u8]) -> Option<Used> {
        let value = json::read(text, 2).ok()?;
        let object = value.as_object()?;
        let number = |value: &Value| value.as_number()?.as_u64();
        let mut idempotency = BTreeMap::new();
        for (user, bytes) in object.get("idempotency")?.as_object()?.iter() {
            idempotency.insert(User::parse(user).ok()?, number(bytes)?);
        }
        Some(Used {
            contexts: number(object.get("contexts")?)?,
            stored_bytes: number(object.get("stored_bytes")?)?,
            members: number(object.get("members")?)?,
            idempotency,
        })
    }
}

/// What a rate counts.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Counted {
    /// Requests and socket messages.
    Requests,
    /// Searches, which count as requests, too.
    Searches,
}

impl Counted {
    /// How many may come in a second, and at once.
    fn pace(self, quotas: &Quotas, is_owner: bool) -> (u64, u64) {
        let limit = |quota| quotas.limit(quota, is_owner);
        match self {
            Counted::Requests => (limit(Quota::Requests), limit(Quota::Burst)),
            Counted::Searches => {
                let per_second = limit(Quota::Searches);
                (per_second, per_second.saturating_mul(SEARCHES_AT_ONCE))
            }
        }
    }

    fn name(self) -> &'static str {
        match self {
            Counted::Requests => "requests",
            Counted::Searches => "searches",
        }
    }
}

/// The seconds whose searches may come at once.
const SEARCHES_AT_ONCE: u64 = 10;

/// What a user may still send: a bucket that fills with time (token bucket).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Bucket {
    /// Thousandths of requests.
    left: u64,
    at: Moment,
}

/// Where a user stands after a request.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Standing {
    /// What is counted.
    pub counted: Counted,
    /// Requests at once.
    pub burst: u64,
    /// Requests in a second.
    pub per_second: u64,
    /// Requests that are left now.
    pub left: u64,
}

impl Standing {
    /// Seconds until the whole burst is there again, rounded up.
    pub fn full_in(&self) -> u64 {
        (self.burst - self.left.min(self.burst)).div_ceil(self.per_second.max(1))
    }

    /// The seconds in which an empty bucket fills.
    pub fn window(&self) -> u64 {
        self.burst.div_ceil(self.per_second.max(1))
    }

    /// Whether a client should know: less than half of the burst is left.
    pub fn is_low(&self) -> bool {
        2 * self.left < self.burst
    }
}

/// The buckets of the users of one store, for one thing that is counted. They are in memory only:
/// after the object has slept, every user may send a whole burst again.
#[derive(Clone, Debug)]
pub struct Rates {
    counted: Counted,
    buckets: BTreeMap<User, Bucket>,
}

/// Users whose buckets are kept before full ones are dropped.
const BUCKETS: usize = 1000;

impl Rates {
    /// Full buckets for everyone.
    pub fn new(counted: Counted) -> Rates {
        Rates { counted, buckets: BTreeMap::new() }
    }

    /// Where a user stands, without counting anything.
    pub fn standing(&self, user: &User, quotas: &Quotas, is_owner: bool, now: Moment) -> Standing {
        // A copy of one bucket at most.
        let bucket = self.buckets.get(user).map(|bucket| (user.clone(), *bucket));
        let mut copy = Rates { counted: self.counted, buckets: bucket.into_iter().collect() };
        let (standing, passes) = copy.take(user, quotas, is_owner, now);
        Standing { left: standing.left + u64::from(passes), ..standing }
    }

    /// Counts one request of a user. Returns where the user stands, and whether the request may
    /// pass.
    pub fn take(
        &mut self,
        user: &User,
        quotas: &Quotas,
        is_owner: bool,
        now: Moment,
    ) -> (Standing, bool) {
        let (per_second, burst) = self.counted.pace(quotas, is_owner);
        let full = burst.saturating_mul(1000);
        let filled = |bucket: &Bucket| {
            let millis = now.0.saturating_sub(bucket.at.0);
            bucket.left.saturating_add(millis.saturating_mul(per_second)).min(full)
        };
        if self.buckets.len() >= BUCKETS && !self.buckets.contains_key(user) {
            self.buckets.retain(|_, bucket| filled(bucket) < full);
        }
        let left = self.buckets.get(user).map_or(full, filled);
        let passes = left >= 1000;
        let left = if passes { left - 1000 } else { left };
        // Where there is no room, the users that come last share nothing and wait.
        if self.buckets.len() < 2 * BUCKETS || self.buckets.contains_key(user) {
            self.buckets.insert(user.clone(), Bucket { left, at: now });
        }
        (Standing { counted: self.counted, burst, per_second, left: left / 1000 }, passes)
    }
}

/// The refusal of a request that comes too soon.
pub fn too_soon(standing: &Standing) -> Error {
    let Standing { counted, burst, per_second, .. } = standing;
    let what = counted.name();
    let detail =
        format!("at most {per_second} {what} a second, {burst} at once; wait, then try again");
    Error::new(Code::RateLimited, detail).limit(*per_second)
}

/// A line of the table, for the documentation.
pub fn line(quota: Quota) -> String {
    let defaults = Quotas::default();
    let [owner, guest] = [true, false].map(|is_owner| defaults.limit(quota, is_owner));
    format!("| `{}` | {} | {owner} | {guest} |", quota.as_str(), quota.what().trim())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn user(name: &str) -> User {
        User::parse(name).unwrap()
    }

    #[test]
    fn a_burst_passes_and_then_the_rate() {
        let quotas = Quotas::parse("requests_per_second=2,burst=4").unwrap();
        let (mut rates, alice) = (Rates::new(Counted::Requests), user("alice"));
        let mut passed = |at| {
            let mut count = 0;
            while rates.take(&alice, &quotas, true, Moment(at)).1 {
                count += 1;
            }
            count
        };
        let counts = [0, 100, 500, 1000, 2000, 99_000].map(&mut passed);
        assert_eq!(counts, [4, 0, 1, 1, 2, 4]);
        // A clock may go back.
        assert_eq!(passed(0), 0);
        let (standing, passes) = rates.take(&user("bob"), &quotas, true, Moment(0));
        assert!(passes);
        assert_eq!((standing.left, standing.full_in(), standing.window()), (3, 1, 2));
    }

    #[test]
    fn searches_have_a_pace_of_their_own() {
        let quotas = Quotas::parse("searches_per_second=2").unwrap();
        let (mut rates, alice) = (Rates::new(Counted::Searches), user("alice"));
        let passed = (0..100).filter(|_| rates.take(&alice, &quotas, true, Moment(0)).1).count();
        assert_eq!(passed, 20);
        let standing = rates.standing(&alice, &quotas, true, Moment(600));
        assert_eq!(
            (standing.left, rates.standing(&alice, &quotas, true, Moment(600))),
            (1, standing)
        );
        assert!(too_soon(&standing).detail().contains("searches"));
    }

    #[test]
    fn the_buckets_of_many_users_take_little_room() {
        let (quotas, mut rates) = (Quotas::default(), Rates::new(Counted::Requests));
        for n in 0..5000u64 {
            rates.take(&user(&format!("u{n}")), &quotas, false, Moment(n));
            assert!(rates.buckets.len() <= 2 * BUCKETS);
        }
    }

    #[test]
    fn a_stock_may_shrink_but_not_grow_past_its_limit() {
        let quotas = Quotas::parse("contexts=5").unwrap();
        let permit = |before, after| quotas.permit(Quota::Contexts, true, before, after);
        assert!(permit(4, 5).is_ok() && permit(9, 8).is_ok() && permit(9, 9).is_ok());
        let error = permit(5, 6).unwrap_err();
        assert_eq!((error.code(), error.limit_value()), (Code::QuotaExceeded, Some(5)));
    }

    #[test]
    fn settings_are_names_of_the_table_with_numbers() {
        for bad in ["x=1", "contexts", "contexts=0", "contexts=-1", "contexts=1.5", "guest.=1"] {
            assert!(Quotas::parse(bad).is_err(), "{bad}");
        }
        assert_eq!(Quotas::parse(" , "), Ok(Quotas::default()));
    }

    #[test]
    fn counts_come_back() {
        let mut used = Used { contexts: 1, stored_bytes: 2, members: 3, ..Used::default() };
        used.change_answers(&user("a\"b"), 7, 0);
        used.change_answers(&user("c"), 7, 7);
        assert_eq!(Used::of_text(&used.to_text()), Some(used));
        assert_eq!(Used::of_text(b"{}"), None);
    }
}
