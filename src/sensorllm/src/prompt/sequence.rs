//! Text after sensors: sequences of different lengths in one batch.

use burn::tensor::{Int, Tensor, TensorData};

use super::splice::SensorVectors;
use crate::language::TokenTable;

/// A batch of sequences: what was measured of each window's channels, then its text. Shorter ones are filled up at the end, where
/// a causal model's earlier positions do not see it.
#[derive(Clone, Debug)]
pub struct Sequences {
    /// `[batch, longest, d_model]`
    pub vectors: Tensor<3>,
    /// Where each sequence's text starts, and so how many of its positions are sensors.
    pub text_starts: Vec<usize>,
    /// Length of each sequence.
    pub lengths: Vec<usize>,
}

/// Joins the visible sensor vectors of each window, if there are any, with its text. What was not measured takes no position.
pub fn sequences(sensors: Option<&SensorVectors>, texts: &[Vec<u32>], table: &TokenTable) -> Sequences {
    let mut rows = Vec::new();
    let mut per_window = 0;
    if let Some(sensors) = sensors {
        let [batch, length, d_model] = sensors.vectors.dims();
        rows.push(sensors.vectors.clone().reshape([batch * length, d_model]));
        per_window = length;
    }
    let mut next = per_window * texts.len();
    let ids: Vec<u32> = texts.concat();
    if !ids.is_empty() {
        rows.push(table.rows(&ids));
    }
    let rows = Tensor::cat(rows, 0);

    let mut text_starts = Vec::with_capacity(texts.len());
    let mut places: Vec<Vec<i32>> = Vec::with_capacity(texts.len());
    for (window, text) in texts.iter().enumerate() {
        let measured = window * per_window..(window + 1) * per_window;
        let visible = |place: &usize| sensors.is_some_and(|sensors| sensors.visible[*place]);
        let mut of_window: Vec<i32> = measured.filter(visible).map(|place| place as i32).collect();
        text_starts.push(of_window.len());
        of_window.extend((next..next + text.len()).map(|place| place as i32));
        next += text.len();
        places.push(of_window);
    }
    let lengths: Vec<usize> = places.iter().map(Vec::len).collect();
    let longest = lengths.iter().copied().max().unwrap_or(0);
    places.iter_mut().for_each(|places| places.resize(longest, 0));

    let [_, d_model] = rows.dims();
    let places = TensorData::new(places.concat(), [texts.len() * longest]);
    let places = Tensor::<1, Int>::from_data(places, &rows.device());
    let vectors = rows.select(0, places).reshape([texts.len(), longest, d_model]);
    Sequences { vectors, text_starts, lengths }
}
