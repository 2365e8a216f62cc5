//! The clauses that answers are made of, each with all its wordings.

use std::sync::LazyLock;

use super::pattern::Pattern;

/// What a clause says. Its patterns have the fields that say it in full.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Clause {
    /// Which channel, over how long.
    About,
    /// That the trends of a channel follow.
    ListOpening,
    /// One segment as a verb.
    VerbItem,
    /// One segment as a noun.
    NounItem,
    /// One segment as an adjective.
    AdjectiveItem,
    /// A number of segments of a trend.
    Count,
    /// A number of segments of a trend and their total time.
    CountTotal,
    /// The same, at the beginning of a sentence.
    CountTotalFirst,
    /// A number of segments and of kinds of trend.
    Parts,
    /// That there is one trend only.
    Throughout,
    /// The total time of a trend.
    Total,
    /// The total time of a further trend.
    Further,
    /// The trend from beginning to end.
    Overall,
    /// An interval that what follows is about.
    Within,
    /// The mean of a channel.
    Mean,
    /// The deviation of a channel.
    Deviation,
    /// The deviation, beside the mean.
    DeviationAside,
    /// The lowest and highest value of a channel.
    Range,
    /// The dominant frequency of a channel.
    Frequency,
    /// That a channel has no dominant frequency.
    NoFrequency,
    /// The step rate.
    Steps,
    /// The step rate, beside the movement.
    StepsAside,
    /// That there are no steps.
    NoSteps,
    /// That there are no steps, beside the movement.
    NoStepsAside,
    /// How the phone is held.
    Posture,
    /// By how much it is tilted.
    Tilt,
    /// By how much the phone is tilted, beside how it is held.
    TiltAside,
    /// Which side points up.
    UpperSide,
    /// That gravity does not show how it is held.
    NoPosture,
    /// How much the phone moves.
    Movement,
    /// Which channel of a sensor varies most.
    Most,
    /// Which channel of a sensor varies least.
    Least,
    /// By how much a further channel varies.
    Varies,
    /// What the person does.
    Activity,
    /// What the person does in the first part of the stretch.
    ActivityFirst,
    /// What the person does in a further part of the stretch.
    ActivityItem,
    /// How sure the classifier is of it.
    Confidence,
    /// How sure the classifier is, beside the activity.
    ConfidenceAside,
    /// That nobody said what the person does.
    NoActivity,
    /// How long the stretch is.
    Duration,
    /// How long the stretch is, before something else.
    DurationAside,
    /// That a channel was not measured.
    NotMeasured,
    /// That a sensor was not measured.
    SensorNotMeasured,
    /// That the question is about something else.
    OffTopic,
    /// A channel, of which the next clause says something.
    Mention,
}

/// Every pattern of every clause.
pub const CLAUSES: &[(Clause, &str)] = &[
    (
        Clause::About,
        "(this is|here is|you see|what follows is|we look at) {channel} (over|during|in) {length} seconds",
    ),
    (
        Clause::About,
        "{channel} (was|is) (recorded|measured|followed|observed|read) (for|over|during) {length} seconds",
    ),
    (
        Clause::About,
        "(for|over|during) {length} seconds , {channel} (was|is) (recorded|measured|followed|observed|read)",
    ),
    (
        Clause::ListOpening,
        "{channel} (changes|moves|goes|runs|develops) (like this|as follows|in this way|in these steps) :",
    ),
    (
        Clause::ListOpening,
        "(these are|here are|below are) the (trends|changes|parts|stretches) of {channel} (in order|one by one|) :",
    ),
    (Clause::ListOpening, "(this is|here is) (how|the way) {channel} (changes|moves|goes|runs|develops) :"),
    (Clause::VerbItem, "{verb} from {start} to {end} seconds"),
    (Clause::VerbItem, "{verb} between {start} and {end} seconds"),
    (Clause::VerbItem, "{verb} until {end} seconds"),
    (Clause::VerbItem, "{verb} for {duration} seconds from {start} seconds on"),
    (Clause::NounItem, "{a_noun} from {start} to {end} seconds"),
    (Clause::NounItem, "{a_noun} between {start} and {end} seconds"),
    (Clause::NounItem, "{a_noun} until {end} seconds"),
    (Clause::NounItem, "{a_noun} of {duration} seconds from {start} seconds on"),
    (Clause::AdjectiveItem, "{adjective} from {start} to {end} seconds"),
    (Clause::AdjectiveItem, "{adjective} until {end} seconds"),
    (Clause::AdjectiveItem, "{adjective} for {duration} seconds from {start} seconds on"),
    (Clause::AdjectiveItem, "{start} to {end} seconds : {adjective}"),
    (Clause::AdjectiveItem, "{start} - {end} s {adjective}"),
    (Clause::Count, "{there} {count} {nouns}"),
    (Clause::Count, "{subject} has {count} {nouns}"),
    (Clause::Count, "{count} {nouns}"),
    (Clause::Count, "the number of {nouns} is {count}"),
    (Clause::Count, "number of {nouns} : {count}"),
    (Clause::Count, "{nouns} : {count}"),
    (Clause::Count, "{subject} shows {count} {nouns}"),
    (Clause::Count, "you (find|see) {count} {nouns}"),
    (Clause::CountTotal, "{count} {nouns} that {take} {total} seconds {altogether}"),
    (Clause::CountTotal, "{count} {nouns} (lasting|taking) {total} seconds {altogether}"),
    (Clause::CountTotal, "{count} {nouns} of {total} seconds {altogether}"),
    (Clause::CountTotal, "{count} {nouns} with {total} seconds {altogether}"),
    (
        Clause::CountTotalFirst,
        "{subject} (has|shows) {count} {nouns} that {take} {total} seconds {altogether}",
    ),
    (
        Clause::CountTotalFirst,
        "{subject} (has|shows) {count} {nouns} (lasting|taking) {total} seconds {altogether}",
    ),
    (Clause::CountTotalFirst, "{subject} (has|shows) {count} {nouns} (of|with) {total} seconds {altogether}"),
    (
        Clause::CountTotalFirst,
        "({there}|in {it} you (see|find)) {count} {nouns} that {take} {total} seconds {altogether}",
    ),
    (
        Clause::CountTotalFirst,
        "({there}|in {it} you (see|find)) {count} {nouns} (lasting|taking) {total} seconds {altogether}",
    ),
    (
        Clause::CountTotalFirst,
        "({there}|in {it} you (see|find)) {count} {nouns} (of|with) {total} seconds {altogether}",
    ),
    (
        Clause::Parts,
        "{subject} (has|shows|consists of|is made of|splits into) {count} (parts|stretches|segments|pieces) \
         (of {kinds}|of {kinds} of trend|with {kinds} of trend|)",
    ),
    (
        Clause::Parts,
        "in {it} (there are|you find|you see) {count} (parts|stretches|segments|pieces) (of {kinds}|with {kinds} of trend|)",
    ),
    (
        Clause::Throughout,
        "{subject} (only|just|simply|) {verb} (all the time|the whole time|throughout|without a break|all along)",
    ),
    (Clause::Throughout, "{subject} (only|just|simply) {verb}"),
    (
        Clause::Throughout,
        "{subject} is {adjective} (all the time|the whole time|throughout|without a break|all along)",
    ),
    (Clause::Throughout, "({it} shows|in {it} there is|in {it} you see) (only|just|nothing but) {a_noun}"),
    (Clause::Total, "{subject} {verb} (for|during|over) {total} seconds (in all|altogether|in total)"),
    (Clause::Total, "(for|during|over) {total} seconds (in all|altogether|in total) {subject} {verb}"),
    (
        Clause::Total,
        "{subject} is {adjective} (for|during|over) {total} seconds (in all|altogether|in total)",
    ),
    (
        Clause::Total,
        "the {adjective} time (adds up to|comes to|is|makes) {total} seconds (in all|altogether|in total|)",
    ),
    (Clause::Further, "(and|while|but|whereas) it {verb} (for|during|over) {total} seconds"),
    (Clause::Further, "(and|while|but|whereas) it is {adjective} (for|during|over) {total} seconds"),
    (Clause::Further, "(and|while|but|whereas) (for|during|over) {total} seconds it {verb}"),
    (Clause::Overall, "(overall|on the whole|all in all|taken together) {subject} {verb}"),
    (Clause::Overall, "{subject} (ends|stops|finishes|ends up) {ending}"),
    (Clause::Overall, "(at the end|in the end|by the end) {subject} is {ending}"),
    (Clause::Overall, "the (overall|general|whole) (trend|direction|change) is {adjective}"),
    (Clause::Overall, "(seen as a whole|taken as a whole|as a whole) {subject} {verb}"),
    (Clause::Overall, "(so|thus) (overall|on the whole|all in all) {subject} {verb}"),
    (Clause::Within, "between {from} and {to} seconds"),
    (
        Clause::Within,
        "(in|during|within) the (time|stretch|part|interval) (between {from} and {to}|from {from} to {to}) seconds",
    ),
    (
        Clause::Mean,
        "{subject} (averages|has a mean of|has an average of|is on average|has a mean value of) {mean} {unit}",
    ),
    (Clause::Mean, "(the mean|the average|the mean value) of {channel} is {mean} {unit}"),
    (Clause::Mean, "{its} (mean|average|mean value) is {mean} {unit}"),
    (Clause::Deviation, "{its} (standard deviation|spread) is {deviation} {unit}"),
    (Clause::DeviationAside, "with a (standard deviation|spread) of {deviation} {unit}"),
    (Clause::Deviation, "{subject} (varies|swings) (around that|around the mean|) by {deviation} {unit}"),
    (Clause::Deviation, "the (standard deviation|spread) of {channel} is {deviation} {unit}"),
    (Clause::Range, "{subject} (ranges|goes|reaches) from {lowest} to {highest} {unit}"),
    (Clause::Range, "{subject} (lies|stays|moves) between {lowest} and {highest} {unit}"),
    (Clause::Range, "{its} (lowest|smallest) value is {lowest} and the (highest|largest) {highest} {unit}"),
    (
        Clause::Range,
        "{its} values (lie|go) (between {lowest} and {highest}|from {lowest} to {highest}) {unit}",
    ),
    (Clause::Frequency, "{subject} repeats (itself|) (about|) {frequency} times (a|per) second"),
    (Clause::Frequency, "the (main|dominant|strongest) frequency of {channel} is {frequency} Hz"),
    (Clause::Frequency, "{its} (main|dominant|strongest) frequency is {frequency} Hz"),
    (Clause::Frequency, "{subject} (has|shows|follows) a rhythm of {frequency} Hz"),
    (Clause::NoFrequency, "{subject} (has|shows|follows) no (clear|steady|regular) rhythm"),
    (Clause::NoFrequency, "{subject} does not (clearly|regularly|) repeat (itself|)"),
    (Clause::NoFrequency, "there is no (clear|steady|regular) rhythm in {channel}"),
    (Clause::Steps, "(there are|you take|the phone feels) (about|) {steps} steps (a|per) minute"),
    (Clause::Steps, "the (step rate|pace) is (about|) {steps} steps (a|per) minute"),
    (Clause::StepsAside, "(with|at) (about|) {steps} steps (a|per) minute"),
    (Clause::NoSteps, "(there are|you take|the phone feels) no (clear|regular|) steps"),
    (Clause::NoSteps, "no (clear|regular) steps can be (seen|found)"),
    (Clause::NoStepsAside, "without (clear|regular|) steps"),
    (Clause::Posture, "(the phone|it) {posture}"),
    (Clause::TiltAside, "(tilted|leaning) by {tilt} degrees"),
    (Clause::TiltAside, "with a tilt of {tilt} degrees"),
    (Clause::Tilt, "it (is tilted|leans) by {tilt} degrees"),
    (Clause::UpperSide, "its {side} (points|faces|looks) up"),
    (Clause::UpperSide, "gravity (shows|says) that its {side} is (up|on top)"),
    (Clause::UpperSide, "its {side} is (up|on top)"),
    (Clause::NoPosture, "gravity does not (clearly|) (show|tell|say) how the phone is held"),
    (Clause::NoPosture, "(the phone's posture|how the phone is held) (is not clear|cannot be told)"),
    (Clause::Movement, "the phone {movement}"),
    (Clause::Movement, "{it} {movement}"),
    (Clause::Most, "{channel} (varies|changes|moves) (most|the most)"),
    (Clause::Most, "{channel} (varies|changes|moves) (most|the most) , by {deviation} {unit}"),
    (Clause::Least, "{channel} (varies|changes|moves) (least|the least)"),
    (Clause::Least, "{channel} (varies|changes|moves) (least|the least) , by {deviation} {unit}"),
    (Clause::Varies, "{channel} by {deviation} {unit}"),
    (Clause::Varies, "{channel} with {deviation} {unit}"),
    (Clause::Activity, "you (are|seem to be|are probably) {label}"),
    (Clause::Activity, "(this is|this looks like|it looks like|this seems to be) {label}"),
    (Clause::ActivityFirst, "you are {label} from {start} to {end} seconds"),
    (Clause::ActivityFirst, "you are {label} until {until} seconds"),
    (Clause::ActivityItem, "{label} from {start} to {end} seconds"),
    (Clause::ActivityItem, "{label} until {until} seconds"),
    (Clause::ConfidenceAside, "with {percent} percent confidence"),
    (Clause::ConfidenceAside, "with a confidence of {percent} percent"),
    (Clause::Confidence, "this is {percent} percent certain"),
    (Clause::Confidence, "the confidence is {percent} percent"),
    (Clause::NoActivity, "no activity (was|is|has been) named"),
    (Clause::NoActivity, "(nobody says|nothing says|nothing shows) what you are doing"),
    (Clause::NoActivity, "your activity is not (known|clear)"),
    (Clause::Duration, "the (recording|stretch|motion) (lasts|covers|takes) {length} seconds"),
    (Clause::DurationAside, "(in|over|during) (these|the) {length} seconds"),
    (Clause::NotMeasured, "{channel} (was|is) not (measured|recorded)"),
    (Clause::NotMeasured, "there are no (data|readings|values) for {channel}"),
    (Clause::NotMeasured, "the phone (gave|gives) no (data|readings|values) for {channel}"),
    (Clause::SensorNotMeasured, "{sensor} (was|is) not (measured|recorded)"),
    (Clause::SensorNotMeasured, "there are no (data|readings|values) for {sensor}"),
    (
        Clause::OffTopic,
        "I (can only|only|can) (speak|talk|tell you) about (how the phone moves|the phone's motion|the motion of the phone)",
    ),
    (Clause::OffTopic, "(that|this) is (not about|nothing to do with) (the motion|how the phone moves)"),
    (Clause::OffTopic, "(that|this) is nothing (the|that the) motion sensors (can tell|can show|know)"),
    (Clause::OffTopic, "(please|) ask me (about|something about) (the motion|trends , posture or activity)"),
    (Clause::Mention, "{channel}"),
    (Clause::Mention, "{it}"),
];

static COMPILED: LazyLock<Vec<(Clause, Pattern)>> =
    LazyLock::new(|| CLAUSES.iter().map(|&(clause, text)| (clause, Pattern::new(text))).collect());

/// Every pattern of every clause, ready to be used.
pub fn patterns() -> &'static [(Clause, Pattern)] {
    &COMPILED
}

/// The patterns of `clause`.
pub fn patterns_of(clause: Clause) -> impl Iterator<Item = &'static Pattern> + Clone {
    COMPILED.iter().filter(move |(known, _)| *known == clause).map(|(_, pattern)| pattern)
}
