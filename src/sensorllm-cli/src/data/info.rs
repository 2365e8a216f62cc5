//! `sensorllm data info DIR`: what a data set contains, after reading all of it.

use std::path::PathBuf;

use serde::Serialize;

use super::Dataset;
use crate::table::{Align, Table};
use crate::{output, progress};

/// What a data set contains: subjects, recordings, hours, activities. Reads every file, so a damaged one shows.
#[derive(clap::Args)]
pub struct InfoArgs {
    /// Folder of the data set
    dir: PathBuf,
    /// Print JSON instead of a table
    #[arg(long)]
    json: bool,
}

/// The summary, in the form of the JSON output.
#[derive(Serialize)]
struct Summary {
    name: String,
    rate_hz: f32,
    /// The sensors' places in the set's own words.
    sensors: Vec<String>,
    gyroscope: bool,
    licence: String,
    weights_may_ship: bool,
    subjects: Vec<String>,
    recordings: usize,
    rows: usize,
    hours: f64,
    activities: Vec<Activity>,
}

/// How much of one activity there is.
#[derive(Serialize)]
struct Activity {
    activity: String,
    /// The source's labels for it.
    labels: Vec<String>,
    subjects: usize,
    segments: usize,
    minutes: f64,
}

/// Runs the command.
pub fn run(args: &InfoArgs) -> anyhow::Result<()> {
    let summary = summarise(&Dataset::open(&args.dir)?)?;
    if args.json { output::print_json(&summary) } else { output::print(&text(&summary)) }
}

fn summarise(set: &Dataset) -> super::Result<Summary> {
    let subjects = set.subjects();
    let bar = progress::bar(subjects.len(), "reading subjects");
    let (mut recordings, mut rows, mut seconds) = (0, 0, 0.0);
    let mut activities: Vec<Activity> = Vec::new();
    for subject in &subjects {
        let mut seen: Vec<String> = Vec::new();
        for recording in set.recordings(subject)? {
            recordings += 1;
            rows += recording.samples.len();
            let times = &recording.samples.seconds;
            seconds += times.last().zip(times.first()).map_or(0.0, |(last, first)| last - first);
            for segment in recording.segments {
                let index = activities.iter().position(|known| known.activity == segment.activity);
                let index = index.unwrap_or_else(|| {
                    activities.push(Activity {
                        activity: segment.activity.clone(),
                        labels: Vec::new(),
                        subjects: 0,
                        segments: 0,
                        minutes: 0.0,
                    });
                    activities.len() - 1
                });
                let activity = &mut activities[index];
                activity.segments += 1;
                activity.minutes += (segment.end_seconds - segment.start_seconds) / 60.0;
                if !activity.labels.contains(&segment.label) {
                    activity.labels.push(segment.label);
                }
                if !seen.contains(&segment.activity) {
                    activity.subjects += 1;
                    seen.push(segment.activity);
                }
            }
        }
        bar.inc(1);
    }
    bar.finish_and_clear();
    activities.sort_by(|a, b| b.minutes.total_cmp(&a.minutes));
    Ok(Summary {
        name: set.name.clone(),
        rate_hz: set.rate_hz,
        sensors: set.sensors.names().to_vec(),
        gyroscope: set.has_gyroscope(),
        licence: set.licence.clone(),
        weights_may_ship: set.weights_may_ship,
        subjects,
        recordings,
        rows,
        hours: seconds / 3600.0,
        activities,
    })
}

fn text(summary: &Summary) -> String {
    let yes = |value| if value { "yes" } else { "no" };
    let mut facts = Table::new(&[("", Align::Left), ("", Align::Left)]);
    let mut fact = |name: &str, value: String| facts.row([name.to_owned(), value]);
    fact("name", summary.name.clone());
    fact("rate", format!("{} Hz", summary.rate_hz));
    fact("sensors at", summary.sensors.join(", "));
    fact("gyroscope", yes(summary.gyroscope).to_owned());
    fact("licence", format!("{} (weights may ship: {})", summary.licence, yes(summary.weights_may_ship)));
    fact("subjects", format!("{}: {}", summary.subjects.len(), summary.subjects.join(" ")));
    fact("recordings", format!("{}, {} rows, {:.1} hours", summary.recordings, summary.rows, summary.hours));

    let mut activities = Table::new(&[
        ("activity", Align::Left),
        ("subjects", Align::Right),
        ("segments", Align::Right),
        ("minutes", Align::Right),
        ("labels in the source", Align::Left),
    ]);
    for activity in &summary.activities {
        activities.row([
            activity.activity.clone(),
            activity.subjects.to_string(),
            activity.segments.to_string(),
            format!("{:.1}", activity.minutes),
            activity.labels.join(", "),
        ]);
    }
    format!("{facts}\n{activities}")
}
