//! Line charts, one below the other.

use super::svg::{Anchor, COLOURS, Svg, number};

/// Points of a line; more are averaged in groups.
const MOST_POINTS: usize = 300;

const WIDTH: f64 = 760.0;
const HEIGHT: f64 = 300.0;
const LEFT: f64 = 64.0;
const RIGHT: f64 = 210.0;
const TOP: f64 = 36.0;
const BOTTOM: f64 = 46.0;

/// A line.
pub struct Series {
    /// Its name in the legend.
    pub name: String,
    /// Its points from left to right.
    pub points: Vec<(f64, f64)>,
    /// Whether each point is marked and tells its value.
    pub marks: bool,
}

/// A chart.
pub struct Chart<'a> {
    /// Its title.
    pub title: &'a str,
    /// Name of the horizontal axis.
    pub x: &'a str,
    /// Name of the vertical axis.
    pub y: &'a str,
    /// Its lines.
    pub series: Vec<Series>,
}

impl Series {
    /// A line without points.
    pub fn new(name: &str) -> Self {
        Self { name: name.to_owned(), points: Vec::new(), marks: false }
    }

    /// With each point marked.
    pub fn with_marks(self) -> Self {
        Self { marks: true, ..self }
    }

    /// At most [`MOST_POINTS`] points.
    fn thinned(&self) -> Vec<(f64, f64)> {
        let group = self.points.len().div_ceil(MOST_POINTS).max(1);
        let mean = |points: &[(f64, f64)]| {
            let count = points.len() as f64;
            let sum = points.iter().fold((0.0, 0.0), |sum, point| (sum.0 + point.0, sum.1 + point.1));
            (sum.0 / count, sum.1 / count)
        };
        self.points.chunks(group).map(mean).collect()
    }
}

/// Draws charts as one SVG file.
pub fn draw(charts: &[Chart<'_>]) -> String {
    let mut svg = Svg::new(WIDTH, HEIGHT * charts.len() as f64);
    for (index, chart) in charts.iter().enumerate() {
        draw_one(&mut svg, chart, HEIGHT * index as f64);
    }
    svg.finish()
}

fn draw_one(svg: &mut Svg, chart: &Chart<'_>, above: f64) {
    let points = || chart.series.iter().flat_map(|series| &series.points);
    let (x_ticks, y_ticks) = (ticks(points().map(|point| point.0)), ticks(points().map(|point| point.1)));
    let (left, right) = (LEFT, WIDTH - RIGHT);
    let (top, bottom) = (above + TOP, above + HEIGHT - BOTTOM);
    let x_at = |x: f64| left + (right - left) * share(x, &x_ticks);
    let y_at = |y: f64| bottom - (bottom - top) * share(y, &y_ticks);

    svg.text(((left + right) / 2.0, above + 22.0), Anchor::Middle, "title", chart.title);
    svg.text(((left + right) / 2.0, bottom + 36.0), Anchor::Middle, "", chart.x);
    svg.turned((16.0, (top + bottom) / 2.0), -90.0, Anchor::Middle, "", chart.y);
    for x in &x_ticks {
        let at = x_at(*x);
        svg.element("path", &format!("class=\"grid\" d=\"M{at:.1} {top:.1}V{bottom:.1}\""));
        svg.text((at, bottom + 18.0), Anchor::Middle, "", &number(*x));
    }
    for y in &y_ticks {
        let at = y_at(*y);
        svg.element("path", &format!("class=\"grid\" d=\"M{left:.1} {at:.1}H{right:.1}\""));
        svg.text((left - 8.0, at + 4.0), Anchor::End, "", &number(*y));
    }
    svg.element("path", &format!("class=\"axis\" d=\"M{left:.1} {top:.1}V{bottom:.1}H{right:.1}\""));

    let drawn: Vec<&Series> = chart.series.iter().filter(|series| !series.points.is_empty()).collect();
    // The first is the most important: drawn last, it lies on top.
    for (index, series) in drawn.into_iter().enumerate().rev() {
        let colour = COLOURS[index % COLOURS.len()];
        // Once the colours are used up, dashes tell lines apart.
        let dashes = match index / COLOURS.len() {
            0 => String::new(),
            round => format!(" stroke-dasharray=\"{} 3\"", 3 * round),
        };
        let place = |(x, y): &(f64, f64)| format!("{:.1},{:.1}", x_at(*x), y_at(*y));
        let line: Vec<String> = series.thinned().iter().map(place).collect();
        let line = line.join(" ");
        svg.element("polyline", &format!("class=\"line\" stroke=\"{colour}\"{dashes} points=\"{line}\""));
        for (x, y) in series.points.iter().filter(|_| series.marks) {
            let circle = format!("cx=\"{:.1}\" cy=\"{:.1}\" r=\"3\" fill=\"{colour}\"", x_at(*x), y_at(*y));
            let tip = format!("{}, {} {}: {}", series.name, chart.x, number(*x), number(*y));
            svg.element_with_tip("circle", &circle, &tip);
        }
        let y = top + 8.0 + 20.0 * index as f64;
        let line = format!("M{:.1} {y:.1}h18", right + 14.0);
        svg.element("path", &format!("class=\"line\" stroke=\"{colour}\"{dashes} d=\"{line}\""));
        svg.text((right + 38.0, y + 4.0), Anchor::Start, "", &series.name);
    }
}

/// Where a value is between the first and the last tick.
fn share(value: f64, ticks: &[f64]) -> f64 {
    match ticks {
        [first, .., last] => (value - first) / (last - first),
        _ => 0.5,
    }
}

/// Round numbers, 1, 2 or 5 times a power of ten apart, around all values.
fn ticks(values: impl Iterator<Item = f64>) -> Vec<f64> {
    let range = values.fold(None, |range: Option<(f64, f64)>, value| {
        Some(range.map_or((value, value), |(least, most)| (least.min(value), most.max(value))))
    });
    let (mut least, mut most) = range.unwrap_or((0.0, 1.0));
    if most - least <= f64::EPSILON * most.abs().max(1.0) {
        (least, most) = (least - 0.5, most + 0.5);
    }
    let raw = (most - least) / 5.0;
    let power = 10f64.powf(raw.log10().floor());
    let step = [1.0, 2.0, 5.0, 10.0].into_iter().map(|factor| factor * power).find(|step| *step >= raw);
    let step = step.unwrap_or(10.0 * power);
    let (first, last) = ((least / step).floor() as i64, (most / step).ceil() as i64);
    (first..=last).map(|i| i as f64 * step).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ticks_are_round_and_around_the_values() {
        let ticks: Vec<String> = ticks([0.13, 0.97].into_iter()).into_iter().map(number).collect();
        assert_eq!(ticks, ["0", "0.2", "0.4", "0.6", "0.8", "1"]);
    }

    #[test]
    fn equal_values_have_a_scale() {
        let ticks = ticks([3.0, 3.0].into_iter());
        assert!(ticks[0] < 3.0 && ticks[ticks.len() - 1] > 3.0, "{ticks:?}");
    }

    #[test]
    fn long_lines_are_thinned_to_their_means() {
        let points = (0..3000).map(|i| (f64::from(i), f64::from(i % 2))).collect();
        let thinned = Series { name: String::new(), points, marks: false }.thinned();
        assert!(thinned.len() <= MOST_POINTS);
        assert!(thinned.iter().all(|(_, y)| (*y - 0.5).abs() < 1e-9));
    }
}
