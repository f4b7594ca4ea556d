//! Draws the questions of one attempt from a bank: the same bank, history and seed give the same draw.
//!
//! Stratified over objectives, so that two draws are comparable; prefers what the person has not seen, so that a retake
//! is not a replay; keeps multiple-response questions to a fifth, since all-or-nothing makes them the hardest.

use std::collections::HashMap;

use serde::{Deserialize, Serialize};

use super::question::{Bank, Kind, Question, QuestionId};
use crate::crypto;
use crate::entropy::{self, SeededEntropy};

/// The stored form's name; a change of its meaning makes a new number.
pub const SCHEMA: &str = "passmuster-draw/1";

/// One in this many questions of a draw may be multiple-response, where the bank allows.
const MULTIPLE_SHARE: usize = 5;

/// How often a person has been shown a question, in any version.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SeenQuestion {
    /// The question.
    pub id: QuestionId,
    /// How many draws held it.
    pub times: u32,
}

/// The questions of one attempt, as shown: kept with the attempt as evidence.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Draw {
    /// [`SCHEMA`].
    pub schema: String,
    /// The seed it was drawn with: 32 bytes in lower-case hexadecimal.
    pub seed_hex: String,
    /// In the order shown.
    pub items: Vec<DrawnItem>,
}

/// One question of a draw.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct DrawnItem {
    /// Which question.
    pub question: QuestionId,
    /// In which version.
    pub version: u32,
    /// The question's own option indices, in the order shown.
    pub options: Vec<usize>,
}

impl Draw {
    /// The item of that question.
    #[must_use]
    pub fn find_item(&self, question: &QuestionId) -> Option<&DrawnItem> {
        self.items.iter().find(|i| i.question == *question)
    }
}

/// Draws `bank.draw` questions (all, when the bank is smaller).
///
/// - Places go round the objectives, one each while places last, so that shares differ by at most one unless an
///   objective runs out of questions; places that are left over go where more is unseen, then by lot.
/// - Within an objective the least seen come first, then the lot decides.
/// - Past a fifth of the draw, a multiple-response question comes in only where its objective has no single one left.
#[must_use]
pub fn draw(bank: &Bank, history: &[SeenQuestion], seed: [u8; 32]) -> Draw {
    let entropy = SeededEntropy::new(seed);
    let times_seen: HashMap<&QuestionId, u32> = history.iter().map(|s| (&s.id, s.times)).collect();
    let strata = strata(bank, &times_seen, &entropy);
    let places = places(&strata, bank.draw.min(bank.questions.len()));

    let forced: usize = strata
        .iter()
        .zip(&places)
        .map(|(stratum, places)| places.saturating_sub(stratum.singles()))
        .sum();
    let mut spare_multiples = (bank.draw / MULTIPLE_SHARE).max(1).saturating_sub(forced);
    let mut picked: Vec<&Question> = Vec::with_capacity(bank.draw);
    for (stratum, &places) in strata.iter().zip(&places) {
        picked.extend(stratum.pick(places, &mut spare_multiples));
    }
    shuffle(&mut picked, &entropy);

    let item = |question: &Question| {
        let mut options: Vec<usize> = (0..question.options.len()).collect();
        shuffle(&mut options, &entropy);
        DrawnItem {
            question: question.id.clone(),
            version: question.version,
            options,
        }
    };
    Draw {
        schema: SCHEMA.to_owned(),
        seed_hex: crypto::hex(&seed),
        items: picked.into_iter().map(item).collect(),
    }
}

/// One objective's questions, least seen first, with how often each was seen.
struct Stratum<'b>(Vec<(u32, &'b Question)>);

impl<'b> Stratum<'b> {
    fn singles(&self) -> usize {
        let single = self.0.iter().filter(|(_, q)| q.kind == Kind::Single);
        single.count()
    }

    fn unseen(&self) -> usize {
        self.0.iter().filter(|(times, _)| *times == 0).count()
    }

    /// The first `places` questions that the allowance of multiple-response questions lets pass.
    fn pick(&self, places: usize, spare_multiples: &mut usize) -> Vec<&'b Question> {
        let mut forced = places.saturating_sub(self.singles());
        let mut picked = Vec::with_capacity(places);
        for &(_, question) in &self.0 {
            if picked.len() == places {
                break;
            }
            if question.kind == Kind::Multiple {
                let allowance = if forced > 0 {
                    &mut forced
                } else {
                    &mut *spare_multiples
                };
                if *allowance == 0 {
                    continue;
                }
                *allowance -= 1;
            }
            picked.push(question);
        }
        picked
    }
}

/// The objectives that have questions, in an order by lot.
fn strata<'b>(
    bank: &'b Bank,
    times_seen: &HashMap<&QuestionId, u32>,
    entropy: &SeededEntropy,
) -> Vec<Stratum<'b>> {
    let mut strata: Vec<Stratum<'b>> = Vec::with_capacity(bank.objectives.len());
    for objective in &bank.objectives {
        let of_objective = bank
            .questions
            .iter()
            .filter(|q| q.objective == objective.id);
        let mut questions: Vec<_> = of_objective
            .map(|q| (times_seen.get(&q.id).copied().unwrap_or(0), q))
            .collect();
        shuffle(&mut questions, entropy);
        // A stable sort: the lot decides among those seen equally often.
        questions.sort_by_key(|(times, _)| *times);
        if !questions.is_empty() {
            strata.push(Stratum(questions));
        }
    }
    shuffle(&mut strata, entropy);
    strata
}

/// How many places each objective gets of `total`.
fn places(strata: &[Stratum<'_>], total: usize) -> Vec<usize> {
    let mut places = vec![0; strata.len()];
    let mut left = total;
    while left > 0 {
        let mut open: Vec<usize> = (0..strata.len())
            .filter(|&i| places[i] < strata[i].0.len())
            .collect();
        if open.is_empty() {
            break;
        }
        open.sort_by_key(|&i| std::cmp::Reverse(strata[i].unseen().saturating_sub(places[i])));
        for &i in open.iter().take(left) {
            places[i] += 1;
        }
        left = left.saturating_sub(open.len());
    }
    places
}

/// Fisher and Yates, from the end.
fn shuffle<T>(list: &mut [T], entropy: &SeededEntropy) {
    for i in (1..list.len()).rev() {
        list.swap(i, entropy::below(entropy, i + 1));
    }
}

#[cfg(test)]
mod tests {
    use std::collections::{BTreeMap, BTreeSet};

    use proptest::prelude::*;

    use super::*;
    use crate::quiz::question::{Questions, fixture};

    fn of<'b>(bank: &'b Bank, draw: &Draw) -> Vec<&'b Question> {
        let find = |i: &DrawnItem| bank.find_question(&i.question, i.version).unwrap();
        draw.items.iter().map(find).collect()
    }

    fn multiples(questions: &[&Question]) -> usize {
        let multiple = questions.iter().filter(|q| q.kind == Kind::Multiple);
        multiple.count()
    }

    proptest! {
        #[test]
        fn a_draw_is_whole_stratified_and_shuffled(
            objectives in 1usize..8, singles in 1usize..7, multiples in 0usize..3, size in 1usize..15,
            seen in prop::collection::vec((0usize..60, 1u32..4), 0..40), seed: [u8; 32],
        ) {
            let bank = fixture::bank(objectives, singles, multiples, size);
            let seen: BTreeMap<_, _> = seen
                .into_iter()
                .filter_map(|(i, times)| Some((bank.questions.get(i)?.id.clone(), times)))
                .collect();
            let history: Vec<_> = seen
                .iter()
                .map(|(id, &times)| SeenQuestion { id: id.clone(), times })
                .collect();
            let drawn = draw(&bank, &history, seed);
            prop_assert_eq!(&drawn, &draw(&bank, &history, seed));

            let questions = of(&bank, &drawn);
            prop_assert_eq!(questions.len(), size.min(bank.questions.len()));
            let ids: BTreeSet<_> = questions.iter().map(|q| &q.id).collect();
            prop_assert_eq!(ids.len(), questions.len(), "no question twice");
            for (item, question) in drawn.items.iter().zip(&questions) {
                let mut options = item.options.clone();
                options.sort_unstable();
                prop_assert_eq!(options, (0..question.options.len()).collect::<Vec<_>>());
            }

            let mut shares = vec![0usize; objectives];
            for q in &questions {
                shares[bank.objectives.iter().position(|o| o.id == q.objective).unwrap()] += 1;
            }
            let (least, most) = (shares.iter().min().unwrap(), shares.iter().max().unwrap());
            prop_assert!(most - least <= 1, "even over objectives: {:?}", shares);

            // A seen single question stands only where every unseen single one of its objective stands too.
            for q in questions.iter().filter(|q| q.kind == Kind::Single && seen.contains_key(&q.id)) {
                let passed_over = bank.questions.iter().find(|o| {
                    o.objective == q.objective && o.kind == Kind::Single
                        && !seen.contains_key(&o.id) && !ids.contains(&o.id)
                });
                prop_assert!(passed_over.is_none());
            }
        }

        #[test]
        fn a_usual_draw_holds_at_most_two_multiple_questions(seed: [u8; 32]) {
            let bank = fixture::bank(5, 5, 1, 10);
            let drawn = draw(&bank, &[], seed);
            prop_assert!(multiples(&of(&bank, &drawn)) <= 2);
        }
    }

    #[test]
    fn retakes_walk_through_the_bank_before_repeating() {
        let bank = fixture::bank(5, 6, 0, 10);
        let mut seen: Vec<SeenQuestion> = Vec::new();
        for (try_number, seed) in [[1; 32], [2; 32], [3; 32]].into_iter().enumerate() {
            for item in draw(&bank, &seen, seed).items {
                assert!(seen.iter().all(|s| s.id != item.question));
                seen.push(SeenQuestion {
                    id: item.question,
                    times: 1,
                });
            }
            assert_eq!(seen.len(), 10 * (try_number + 1));
        }
    }

    #[test]
    fn a_bank_of_multiples_is_drawn_all_the_same() {
        let bank = fixture::bank(5, 0, 4, 10);
        assert_eq!(draw(&bank, &[], [9; 32]).items.len(), 10);
    }

    #[test]
    fn keys_are_shown_at_every_place_about_equally_often() {
        let bank = fixture::bank(5, 6, 0, 10);
        let mut shown = [0u32; 4];
        for n in 0..400u32 {
            let seed = crypto::sha256(&n.to_le_bytes());
            let drawn = draw(&bank, &[], seed);
            for (item, question) in drawn.items.iter().zip(of(&bank, &drawn)) {
                let at = item
                    .options
                    .iter()
                    .position(|&o| question.options[o].correct);
                shown[at.unwrap()] += 1;
            }
        }
        assert!(shown.iter().all(|n| (880..1120).contains(n)), "{shown:?}");
    }

    /// A stored draw of today must mean the same in ten years, and a seed must redraw it.
    #[test]
    fn the_stored_form_stays() {
        let bank = fixture::bank(2, 2, 0, 2);
        let drawn = draw(&bank, &[], [0; 32]);
        let json = serde_json::to_string(&drawn).unwrap();
        let items = concat!(
            r#"{"question":"m-o2-000","version":1,"options":[3,0,2,1]},"#,
            r#"{"question":"m-o1-001","version":1,"options":[2,3,0,1]}"#,
        );
        let (schema, seed) = ("passmuster-draw/1", "0".repeat(64));
        let stored = format!(r#"{{"schema":"{schema}","seed_hex":"{seed}","items":[{items}]}}"#);
        assert_eq!(json, stored);
        assert_eq!(serde_json::from_str::<Draw>(&json).unwrap(), drawn);
    }
}
