//! A confusion matrix: counts, and the darker the larger their share of the true label.

use super::super::task::ConfusionMatrix;
use super::svg::{Anchor, COLOURS, Svg};

const CELL: f64 = 56.0;
const TOP: f64 = 64.0;
/// Width of a letter, roughly.
const LETTER: f64 = 7.0;

/// Draws the matrix of an epoch, counted from 1.
pub fn draw(confusion: &ConfusionMatrix, epoch: usize) -> String {
    let labels = &confusion.labels;
    let longest = labels.iter().map(|label| label.chars().count()).max().unwrap_or(0) as f64 * LETTER;
    let left = longest + 40.0;
    let side = CELL * labels.len() as f64;
    // Room for the title, and for the names below, which hang down at an angle.
    let width = left + side.max(240.0) + 20.0;
    let height = TOP + side + 0.75 * longest + 48.0;
    let mut svg = Svg::new(width, height);
    let middle = left + side / 2.0;
    svg.text((left, 24.0), Anchor::Start, "title", &format!("Confusion, epoch {epoch}"));
    svg.text((left, 46.0), Anchor::Start, "", "examples by true label and answer");
    svg.turned((16.0, TOP + side / 2.0), -90.0, Anchor::Middle, "", "true label");
    svg.text((middle, height - 10.0), Anchor::Middle, "", "answer");
    for (truth, row) in confusion.rows.iter().enumerate() {
        let y = TOP + CELL * truth as f64;
        let total: u64 = row.iter().sum();
        svg.text((left - 8.0, y + CELL / 2.0 + 4.0), Anchor::End, "", &labels[truth]);
        for (answer, count) in row.iter().enumerate() {
            let x = left + CELL * answer as f64;
            let share = *count as f64 / total.max(1) as f64;
            let cell = format!(
                "class=\"cell\" x=\"{x:.1}\" y=\"{y:.1}\" width=\"{CELL}\" height=\"{CELL}\" fill=\"{}\" \
                 fill-opacity=\"{share:.3}\"",
                COLOURS[0]
            );
            let tip = format!("{} answered as {}: {count} of {total}", labels[truth], labels[answer]);
            svg.element_with_tip("rect", &cell, &tip);
            let class = if share > 0.5 { "strong" } else { "" };
            svg.text((x + CELL / 2.0, y + CELL / 2.0 + 4.0), Anchor::Middle, class, &count.to_string());
        }
    }
    for (answer, label) in labels.iter().enumerate() {
        let x = left + CELL * (answer as f64 + 0.5);
        svg.turned((x + 4.0, TOP + side + 14.0), -45.0, Anchor::End, "", label);
    }
    svg.finish()
}
