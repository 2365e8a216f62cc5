//! The questions of each family, in all their wordings.

use std::sync::LazyLock;

use super::exchange::Family;
use super::pattern::Pattern;

/// Every pattern of questions. Fields: `{channel}`, `{sensor}`, `{from}` and `{to}` in seconds.
pub const QUESTIONS: &[(Family, &str)] = &[
    (
        Family::TrendList,
        "(please|) (describe|list|show me|name|give me) (the trends|the changes|the trend changes|all trends) \
         (of|in) {channel} (step by step|over time|)",
    ),
    (
        Family::TrendList,
        "(how|in which way) does {channel} (change|develop|move|go) (over time|step by step|from start to end)",
    ),
    (
        Family::TrendList,
        "when does {channel} (rise and fall|rise , fall or stay steady|go up and down|change)",
    ),
    (Family::TrendList, "what does {channel} do (over time|step by step|)"),
    (
        Family::Interval,
        "(how|in which way) does {channel} (change|develop|move|go) (between {from} and {to}|from {from} to {to}) (seconds|s)",
    ),
    (
        Family::Interval,
        "what (does {channel} do|happens to {channel}|is the trend of {channel}) \
         (between {from} and {to}|from {from} to {to}) (seconds|s)",
    ),
    (
        Family::Interval,
        "(please|) (describe|show me|give me|list) (the trends|the changes) (of|in) {channel} \
         (between {from} and {to}|from {from} to {to}) (seconds|s)",
    ),
    (
        Family::Interval,
        "(between {from} and {to}|from {from} to {to}) seconds , (how does {channel} change|what does {channel} do)",
    ),
    (
        Family::TrendSummary,
        "(please|) (summarise|sum up|give a summary of|give an overview of) (the trends|the trend|the changes) (of|in) {channel}",
    ),
    (
        Family::TrendSummary,
        "(how often|how many times) does {channel} (rise and fall|go up and down|change its trend) (in all|in total|)",
    ),
    (
        Family::TrendSummary,
        "(for how long|how long) does {channel} (rise and fall|rise , fall and stay steady) (in all|in total|)",
    ),
    (
        Family::TrendSummary,
        "what is the (overall|general|whole) (trend|direction) of {channel} (, and how is it made up|)",
    ),
    (Family::TrendSummary, "how many (trends|rises and falls|segments) does {channel} have"),
    (
        Family::Statistics,
        "(what are|give me|tell me|show|list) the (statistics|mean and deviation|mean and range|numbers|values) of {channel}",
    ),
    (Family::Statistics, "what is the (mean|average|range|standard deviation|spread) of {channel}"),
    (Family::Statistics, "(how large|how strong|how big|how high) is {channel} (on average|)"),
    (
        Family::Statistics,
        "(between which values does {channel} lie|in which range is {channel}|how far does {channel} range)",
    ),
    (Family::Statistics, "what are the (lowest and highest|smallest and largest) values of {channel}"),
    (
        Family::Frequency,
        "does {channel} (repeat itself|repeat|have a rhythm) (, and how often|, and how fast|)",
    ),
    (Family::Frequency, "(how often|how many times a second) does {channel} repeat (itself|)"),
    (Family::Frequency, "what is the (main|dominant|strongest) (frequency|rhythm) of {channel}"),
    (
        Family::Frequency,
        "(tell me|give me|name|find) the (main|dominant|strongest|) (frequency|rhythm) of {channel}",
    ),
    (Family::Frequency, "(is there|do you see) a (rhythm|frequency|regular rhythm) in {channel}"),
    (
        Family::StepRate,
        "(what is|tell me|give me|do you know) (my|the) (step rate|cadence|pace|number of steps a minute|number of steps per minute)",
    ),
    (
        Family::StepRate,
        "how (many steps am i taking|many steps do i take|many steps are there|many steps) (a minute|per minute|each minute)",
    ),
    (Family::StepRate, "how (fast do i walk|fast are my steps|quick are my steps|many steps do i take)"),
    (
        Family::StepRate,
        "(am i taking|do i take|are there|can you see) (any|) steps (, and how many|, and how fast|)",
    ),
    (
        Family::Posture,
        "(how|in which way) is the phone (held|turned|lying|oriented|tilted|placed) (in space|in the pocket|now|)",
    ),
    (Family::Posture, "(what is|tell me|describe) the (posture|orientation|tilt|attitude) of the phone"),
    (Family::Posture, "which (side|edge|side or edge) of the phone (points|faces|looks) up"),
    (Family::Posture, "is the phone (upright|upside down|lying flat|tilted) (or not|)"),
    (Family::Posture, "what does gravity (say|tell|show) about (the phone|its posture|how it is held)"),
    (
        Family::Comparison,
        "which (axis|direction) of {sensor} (varies|changes|moves) (most|the most|most strongly|least)",
    ),
    (Family::Comparison, "(please|) compare (the axes|the three axes|the directions) of {sensor}"),
    (
        Family::Comparison,
        "(along|on) which axis does {sensor} (vary|change|move) (most|the most|most strongly|least)",
    ),
    (
        Family::Comparison,
        "how do the (axes|three axes|directions) of {sensor} (compare|differ) (with each other|)",
    ),
    (
        Family::Activity,
        "what am i doing (now|here|) (, and how can you tell|, and how do you know|and why do you think so|)",
    ),
    (
        Family::Activity,
        "(which|what) (activity|kind of activity) is this (, and how can you tell|, and how do you know|)",
    ),
    (Family::Activity, "(can you tell|do you know|tell me) what i am doing (, and how you know|)"),
    (
        Family::Activity,
        "am i (walking|running|sitting|standing|lying|going upstairs|going downstairs) (now|)",
    ),
    (Family::Activity, "(guess|name|recognise) my activity (, and say why|)"),
    (
        Family::Description,
        "(please|) (describe|tell me|say|explain) (what the phone did|how the phone moved|what happened|what you see) \
         (in a few sentences|)",
    ),
    (Family::Description, "(please|) (describe|explain) (the movement|the motion) (in a few sentences|)"),
    (Family::Description, "what (did the phone do|happened to the phone|do you see|does the phone do)"),
    (Family::Description, "(how|in which way) did the phone move"),
    (Family::Description, "(give me|write) a (short|) description of the (movement|motion|recording)"),
    (
        Family::OffTopic,
        "(what is|do you know|tell me) (the weather|the capital of france|the time of day|the news|the score|the date)",
    ),
    (Family::OffTopic, "(tell me|write|give me|do you know) (a joke|a story|a recipe|a poem|a riddle)"),
    (Family::OffTopic, "who (wrote this book|won the game|is the president|invented the telephone|are you)"),
    (Family::OffTopic, "(write|show) me (a song|an essay|some code)"),
    (Family::OffTopic, "(translate|spell|explain) (this word|the word house|my name)"),
    (Family::OffTopic, "what is (two plus two|the price of bread|the meaning of life|your name)"),
    (
        Family::OffTopic,
        "(where can i buy shoes|how do i cook rice|where is the nearest shop|should i buy this)",
    ),
];

static COMPILED: LazyLock<Vec<(Family, Pattern)>> =
    LazyLock::new(|| QUESTIONS.iter().map(|&(family, text)| (family, Pattern::new(text))).collect());

/// The patterns of `family`'s questions.
pub fn questions_of(family: Family) -> impl Iterator<Item = &'static Pattern> + Clone {
    COMPILED.iter().filter(move |(known, _)| *known == family).map(|(_, pattern)| pattern)
}
