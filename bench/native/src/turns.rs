//! Contestants take turns, so that whatever else the machine does falls on all of them alike.

use std::{hint::black_box, time::Instant};

/// One way of doing the job that is measured.
pub(crate) struct Contestant<'a> {
    pub(crate) name: String,
    turn: Box<dyn FnMut() -> f64 + 'a>,
}

/// Nanoseconds for one item, for every round.
pub(crate) struct Times {
    pub(crate) name: String,
    pub(crate) rounds: Vec<f64>,
}

/// A turn lasts at least this long, in nanoseconds.
const TURN: f64 = 20e6;

impl<'a> Contestant<'a> {
    /// Calls `pass`, which does `items` items, as often as a turn needs.
    pub(crate) fn new<T>(
        name: impl Into<String>,
        items: usize,
        mut pass: impl FnMut() -> T + 'a,
    ) -> Contestant<'a> {
        let mut time = move |passes: usize| {
            let start = Instant::now();
            for _ in 0..passes {
                black_box(pass());
            }
            start.elapsed().as_nanos() as f64 / passes as f64
        };
        // The first passes warm caches and say how many make a turn.
        let once = time(1).min(time(1));
        let passes = (TURN / once).ceil().max(1.0) as usize;
        Contestant { name: name.into(), turn: Box::new(move || time(passes) / items as f64) }
    }

    /// A contestant that times itself, in nanoseconds for one item.
    pub(crate) fn timed(name: impl Into<String>, turn: impl FnMut() -> f64 + 'a) -> Contestant<'a> {
        Contestant { name: name.into(), turn: Box::new(turn) }
    }
}

/// Lets all take turns for `rounds` rounds. Who begins changes from round to round.
pub(crate) fn take_turns(mut contestants: Vec<Contestant<'_>>, rounds: usize) -> Vec<Times> {
    let mut times: Vec<Times> = contestants
        .iter()
        .map(|contestant| Times { name: contestant.name.clone(), rounds: vec![0.0; rounds] })
        .collect();
    let count = contestants.len();
    for round in 0..rounds {
        for place in 0..count {
            let who = (round + place) % count;
            times[who].rounds[round] = (contestants[who].turn)();
        }
    }
    times
}

impl Times {
    /// The median round.
    pub(crate) fn median(&self) -> f64 {
        quantile(&self.rounds, 0.5)
    }

    /// First and third quartile.
    pub(crate) fn quartiles(&self) -> (f64, f64) {
        (quantile(&self.rounds, 0.25), quantile(&self.rounds, 0.75))
    }

    /// How many times as long as `other`: the median of the rounds' own ratios, for the two were
    /// measured moments apart.
    pub(crate) fn ratio(&self, other: &Times) -> f64 {
        let ratios: Vec<f64> =
            self.rounds.iter().zip(&other.rounds).map(|(own, other)| own / other).collect();
        quantile(&ratios, 0.5)
    }
}

fn quantile(values: &[f64], at: f64) -> f64 {
    let mut sorted = values.to_vec();
    sorted.sort_by(f64::total_cmp);
    let place = at * (sorted.len() - 1) as f64;
    let (low, part) = (place.floor() as usize, place.fract());
    let high = (low + 1).min(sorted.len() - 1);
    sorted[low] + (sorted[high] - sorted[low]) * part
}
