//! Properties of the sampler that hold for any logits.

use proptest::prelude::*;

use super::*;

fn sampler(options: SamplerOptions) -> Sampler {
    Sampler::new(options).unwrap()
}

fn warm() -> SamplerOptions {
    SamplerOptions { temperature: 1.0, ..SamplerOptions::default() }
}

fn draw(options: &SamplerOptions, logits: &[f32], count: usize) -> Vec<u32> {
    let mut sampler = sampler(options.clone());
    (0..count).map(|_| sampler.sample(&mut logits.to_vec(), &[]).unwrap()).collect()
}

#[test]
fn greedy_takes_the_most_likely_token_and_the_first_of_equals() {
    assert_eq!(draw(&SamplerOptions::default(), &[0.5, 2.0, -1.0, 2.0], 3), [1, 1, 1]);
}

#[test]
fn random_numbers_are_those_published_for_splitmix64() {
    // First outputs for seed 1234567 of the authors' reference implementation.
    let mut random = SplitMix64(1_234_567);
    assert_eq!([random.next(), random.next()], [6_457_827_717_110_365_317, 3_203_168_211_198_807_973]);
}

#[test]
fn the_exponential_has_eleven_digits() {
    for step in 0..70_000 {
        let x = -f64::from(step) / 100.0;
        assert!((exp(x) - x.exp()).abs() <= 1e-11 * x.exp(), "exp({x})");
    }
    assert_eq!(exp(-1e9), 0.0);
    assert_eq!(exp(f64::NEG_INFINITY), 0.0);
}

#[test]
fn tokens_are_drawn_as_often_as_they_are_likely() {
    let logits = [2.0f32.ln(), 0.0, 5.0f32.ln()];
    let drawn = draw(&warm(), &logits, 8000);
    for (id, expected) in [(0, 2000), (1, 1000), (2, 5000)] {
        let count = drawn.iter().filter(|d| **d == id).count() as i32;
        assert!((count - expected).abs() < 150, "token {id} was drawn {count} times of 8000");
    }
}

#[test]
fn a_low_temperature_approaches_greedy() {
    let cold = SamplerOptions { temperature: 0.01, ..warm() };
    assert_eq!(draw(&cold, &[1.0, 1.5, 0.0], 50), vec![1; 50]);
}

#[test]
fn unusable_logits_are_errors() {
    for (logits, what) in [
        ([0.0, f32::NAN, 1.0], "NaN"),
        ([0.0, f32::INFINITY, 1.0], "infinite"),
        ([f32::NEG_INFINITY; 3], "no token"),
    ] {
        for options in [SamplerOptions::default(), SamplerOptions { top_k: 2, top_p: 0.5, ..warm() }] {
            let error = sampler(options).sample(&mut logits.clone(), &[]).unwrap_err();
            assert_eq!(error.code(), "weights");
            assert!(error.message().contains(what), "{error}");
        }
    }
    assert_eq!(sampler(warm()).sample(&mut [], &[]).unwrap_err().code(), "weights");
}

#[test]
fn options_out_of_range_are_errors_that_name_them() {
    for (options, what) in [
        (SamplerOptions { repetition_penalty: 0.0, ..warm() }, "repetition penalty"),
        (SamplerOptions { temperature: -1.0, ..warm() }, "temperature"),
        (SamplerOptions { temperature: f32::NAN, ..warm() }, "temperature"),
        (SamplerOptions { top_p: 1.5, ..warm() }, "top-p"),
        (SamplerOptions { top_p: f32::NAN, ..warm() }, "top-p"),
    ] {
        let error = Sampler::new(options).unwrap_err();
        assert_eq!(error.code(), "invalid-input");
        assert!(error.message().contains(what), "{error}");
    }
}

#[test]
fn a_previous_id_outside_the_vocabulary_is_an_error() {
    let mut sampler = sampler(SamplerOptions { repetition_penalty: 1.1, ..warm() });
    let error = sampler.sample(&mut [0.0, 1.0], &[0, 2]).unwrap_err();
    assert!(error.message().contains("token 2"), "{error}");
}

/// Logits as models give them, with ties and impossible tokens among them; at least one is possible.
fn logits() -> impl Strategy<Value = Vec<f32>> {
    let logit = prop_oneof![6 => -20.0f32..20.0, 2 => Just(1.5f32), 1 => Just(f32::NEG_INFINITY)];
    (prop::collection::vec(logit, 0..600), -20.0f32..20.0).prop_map(|(mut logits, possible)| {
        logits.push(possible);
        logits
    })
}

/// The ids of the possible tokens, most likely first.
fn ranking(logits: &[f32]) -> Vec<u32> {
    let mut ids: Vec<u32> =
        (0..logits.len() as u32).filter(|id| logits[*id as usize] > f32::NEG_INFINITY).collect();
    ids.sort_by(|a, b| logits[*b as usize].total_cmp(&logits[*a as usize]));
    ids
}

proptest! {
    #[test]
    fn top_k_leaves_exactly_the_k_best_and_their_equals(logits in logits(), k in 1usize..80) {
        let mut sampler = sampler(SamplerOptions { top_k: k, ..warm() });
        let mut kept: Vec<u32> =
            sampler.probabilities(&mut logits.clone(), &[]).unwrap().into_iter().map(|(id, _)| id).collect();
        let ranking = ranking(&logits);
        let last = logits[ranking[k.min(ranking.len()) - 1] as usize];
        let mut expected: Vec<u32> = ranking.into_iter().filter(|id| logits[*id as usize] >= last).collect();
        kept.sort();
        expected.sort();
        prop_assert_eq!(kept, expected);
    }

    #[test]
    fn top_p_keeps_the_fewest_best_that_reach_it(logits in logits(), p in 0.0f32..1.0, k in 0usize..300, t in 0.2f32..3.0) {
        let all = SamplerOptions { top_k: k, temperature: t, ..warm() };
        let nucleus = SamplerOptions { top_p: p, ..all.clone() };
        let all = sampler(all).probabilities(&mut logits.clone(), &[]).unwrap();
        let kept = sampler(nucleus).probabilities(&mut logits.clone(), &[]).unwrap();
        let before = |count: usize| all[..count].iter().map(|(_, q)| f64::from(*q)).sum::<f64>();
        prop_assert!(before(kept.len()) >= f64::from(p) - 1e-5, "too few: {}", before(kept.len()));
        prop_assert!(kept.len() == 1 || before(kept.len() - 1) <= f64::from(p) + 1e-5, "too many");
        prop_assert!((kept.iter().map(|(_, q)| f64::from(*q)).sum::<f64>() - 1.0).abs() < 1e-5);
        let worst = kept.iter().map(|(id, _)| logits[*id as usize]).fold(f32::INFINITY, f32::min);
        let better = logits.iter().filter(|logit| **logit > worst).count();
        prop_assert!(better < kept.len(), "a better token was left out");
    }

    #[test]
    fn the_penalty_weakens_each_previous_token_once(
        logits in logits(), picks in prop::collection::vec(any::<prop::sample::Index>(), 0..20), penalty in 1.01f32..2.0
    ) {
        let previous: Vec<u32> = picks.iter().map(|pick| pick.index(logits.len()) as u32).collect();
        let mut changed = logits.clone();
        let mut sampler = sampler(SamplerOptions { repetition_penalty: penalty, ..SamplerOptions::default() });
        sampler.sample(&mut changed, &previous).unwrap();
        for (id, (before, after)) in logits.iter().zip(&changed).enumerate() {
            let expected = match (previous.contains(&(id as u32)), *before < 0.0) {
                (false, _) => *before,
                (true, true) => before * penalty,
                (true, false) => before / penalty,
            };
            prop_assert_eq!(*after, expected);
        }
    }

    #[test]
    fn a_seed_decides_the_tokens_and_all_can_be_drawn(logits in logits(), seed in any::<u64>(), k in 0usize..50, p in 0.1f32..1.0) {
        let options = SamplerOptions { top_k: k, top_p: p, seed, ..warm() };
        let drawn = draw(&options, &logits, 30);
        prop_assert_eq!(&drawn, &draw(&options, &logits, 30));
        let possible = sampler(options).probabilities(&mut logits.clone(), &[]).unwrap();
        prop_assert!(drawn.iter().all(|id| possible.iter().any(|(other, _)| other == id)));
    }
}
