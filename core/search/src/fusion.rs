//! Fusion: several rankings become one.
//!
//! The scores of each are scaled to 0..1 for the query, and added by weight. Reciprocal rank fusion
//! takes no notice of how much better an answer is, and loses with a weak second ranker.

use alloc::{vec, vec::Vec};

use crate::score::Scored;

/// One ranker's answers, and how much it counts.
#[derive(Clone, Copy, Debug)]
pub struct Ranking<'r> {
    /// The answers, each document once. What is not among them has the lowest score.
    pub answers: &'r [Scored],
    /// The lowest score there can be: 0 for words. `None` for a ranker that scores every document:
    /// then the lowest of its answers.
    pub floor: Option<f32>,
    /// The weight: 0 leaves the ranker out, and only the ratio of weights matters.
    pub weight: f32,
}

/// Adds the scaled scores of all rankings, by rising number. Scores lie between 0 and the sum of the
/// weights.
pub fn fuse(rankings: &[Ranking<'_>]) -> Vec<Scored> {
    // A place for each number: a ranker that scores every document has them all.
    let numbers =
        || rankings.iter().flat_map(|ranking| ranking.answers).map(|answer| answer.number);
    let mut sums: Vec<Option<f32>> =
        vec![None; numbers().max().map_or(0, |last| last as usize + 1)];
    for ranking in rankings.iter().filter(|ranking| ranking.weight > 0.0) {
        let scores = || ranking.answers.iter().map(|answer| answer.score);
        let lowest = ranking.floor.unwrap_or_else(|| scores().fold(f32::INFINITY, f32::min));
        let range = scores().fold(f32::NEG_INFINITY, f32::max) - lowest;
        for answer in ranking.answers {
            // One score for all says nothing about their order, but that they were found.
            let scaled = if range > 0.0 { (answer.score - lowest) / range } else { 1.0 };
            if let Some(sum) = sums.get_mut(answer.number as usize) {
                *sum = Some(sum.unwrap_or(0.0) + ranking.weight * scaled.clamp(0.0, 1.0));
            }
        }
    }
    let sums = (0..).zip(sums);
    sums.filter_map(|(number, sum)| Some(Scored { number, score: sum? })).collect()
}
