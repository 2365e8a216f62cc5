//! Tests of the CSV formats: exports as the apps write them, other tables, and what is refused.

use std::fmt::Write;

use super::*;
use crate::sensor::{Samples, WindowConfig, windows};

fn parse(text: &str) -> Samples {
    parse_recording(text, &CsvOptions::default()).unwrap()
}

#[track_caller]
fn refused(text: &str, kind: ErrorKind, says: &str) {
    let error = parse_recording(text, &CsvOptions::default()).unwrap_err();
    assert_eq!(error.kind(), kind, "{error}");
    assert!(error.to_string().contains(says), "{error}");
    assert!(!error.hint().is_empty());
}

#[track_caller]
fn close(a: [f32; 3], b: [f32; 3]) {
    assert!(a.iter().zip(&b).all(|(a, b)| (a - b).abs() < 1e-4), "{a:?} {b:?}");
}

#[test]
fn phyphox_comma_and_point() {
    let samples = parse(
        "\"Time (s)\",\"Acceleration x (m/s^2)\",\"Acceleration y (m/s^2)\",\"Acceleration z (m/s^2)\",\"Absolute acceleration (m/s^2)\"\n\
         0.000000000E0,3.555450439E-1,3.094482422E-1,1.006282043E1,1.0E1\n\
         1.002300000E-2,3.555450439E-1,3.094482422E-1,9.806282043E0,1.0E1\n",
    );
    assert_eq!(samples.seconds, [0.0, 0.010023]);
    close(samples.acceleration[0], [0.355545, 0.309448, 10.06282]);
    assert!(samples.rotation_rate.iter().flatten().all(|value| value.is_nan()));
}

#[test]
fn phyphox_semicolon_or_tab_and_decimal_comma() {
    for delimiter in [";", "\t"] {
        let text = "\"Time (s)\";\"Acceleration x (m/s^2)\";\"Acceleration y (m/s^2)\";\"Acceleration z (m/s^2)\"\r\n\
                    3,822818600E-2;1,573801041E-2;-1,144409180E-2;9,794026566E0\r\n\
                    4,323306900E-2;4,181289673E-2;-2,140426636E-2;9,764702196E0\r\n";
        let samples = parse(&text.replace(';', delimiter));
        assert_eq!(samples.seconds, [0.038228186, 0.04323306900]);
        close(samples.acceleration[1], [0.0418129, -0.0214043, 9.7647]);
    }
}

#[test]
fn phyphox_one_file_per_sensor() {
    let acceleration = "\"Time (s)\",\"Acceleration x (m/s^2)\",\"Acceleration y (m/s^2)\",\"Acceleration z (m/s^2)\"\n\
                        0.00,0,0,9.8\n0.01,0,0,9.9\n";
    let rotation = "\"Time (s)\",\"Gyroscope x (rad/s)\",\"Gyroscope y (rad/s)\",\"Gyroscope z (rad/s)\"\n\
                    0.005,1,2,3\n0.01,4,5,6\n";
    let linear = "\"Time (s)\",\"Linear Acceleration x (m/s^2)\",\"Linear Acceleration y (m/s^2)\",\"Linear Acceleration z (m/s^2)\"\n\
                  0.00,0,0,0.1\n";
    let location = "\"Time (s)\",\"Latitude (°)\",\"Longitude (°)\"\n0.0,50.8,6.1\n";
    let files = [
        CsvFile { name: "walk/Linear Acceleration.csv", text: linear },
        CsvFile { name: "walk/Gyroscope.csv", text: rotation },
        CsvFile { name: "walk/Accelerometer.csv", text: acceleration },
        CsvFile { name: "walk/Location.csv", text: location },
    ];
    let samples = parse_recording_files(&files, &CsvOptions::default()).unwrap();
    assert_eq!(samples.seconds, [0.0, 0.005, 0.01]);
    assert_eq!(samples.acceleration[0], [0.0, 0.0, 9.8]);
    assert!(samples.acceleration[1][0].is_nan());
    assert_eq!(samples.rotation_rate[1], [1.0, 2.0, 3.0]);
    assert_eq!((samples.acceleration[2], samples.rotation_rate[2]), ([0.0, 0.0, 9.9], [4.0, 5.0, 6.0]));
}

const LOGGER_TOTAL: &str = "time,seconds_elapsed,z,y,x\n\
    1700000000000000000,0.10,9.80,0.2,0.1\n1700000000010000000,0.11,9.81,0.2,0.1\n";
const LOGGER_ACCELEROMETER: &str = "time,seconds_elapsed,z,y,x\n\
    1700000000000000000,0.10,0.5,0.2,0.1\n1700000000010000000,0.11,12.0,0.2,0.1\n1700000000020000000,0.12,13,0.2,0.1\n";
const LOGGER_GRAVITY: &str = "time,seconds_elapsed,z,y,x\n\
    1700000000000000000,0.10,-9.80,0,0\n1700000000020000000,0.12,-9.78,0,0.02\n";
const LOGGER_GYROSCOPE: &str = "time,seconds_elapsed,z,y,x\n\
    1700000000000000000,0.10,3,2,1\n1700000000010000000,0.11,3,2,1\n";
const LOGGER_METADATA: &str = "version,device name,recording epoch time,recording time,recording timezone,platform,appVersion,device id,sensors,sampleRateMs,standardisation,platform version\n\
    3,Phone,1700000000000,2023-11-14_22-13-20,Europe/Berlin,ios,1.64,an-id,Accelerometer|Gravity|Gyroscope,10|10|10,false,17\n";

#[test]
fn sensor_logger_on_android() {
    let files = [
        CsvFile { name: "Accelerometer.csv", text: LOGGER_ACCELEROMETER },
        CsvFile { name: "TotalAcceleration.csv", text: LOGGER_TOTAL },
        CsvFile { name: "Gyroscope.csv", text: LOGGER_GYROSCOPE },
        CsvFile { name: "GyroscopeUncalibrated.csv", text: LOGGER_TOTAL },
        CsvFile { name: "Annotation.csv", text: "time,seconds_elapsed,text\n1,0.1,hello\n" },
        CsvFile { name: "Barometer.csv", text: "" },
    ];
    let samples = parse_recording_files(&files, &CsvOptions::default()).unwrap();
    assert_eq!(samples.seconds, [0.10, 0.11]);
    assert_eq!(samples.acceleration, [[0.1, 0.2, 9.80], [0.1, 0.2, 9.81]]);
    assert_eq!(samples.rotation_rate, [[1.0, 2.0, 3.0]; 2]);
    let alone = parse_recording_files(&files[1..2], &CsvOptions::default()).unwrap();
    assert_eq!(alone.acceleration, samples.acceleration);
    assert!(same(&parse(LOGGER_TOTAL), &alone));
}

#[test]
fn sensor_logger_on_ios_adds_gravity_and_turns_the_sign() {
    let files = [
        CsvFile { name: "Accelerometer.csv", text: LOGGER_ACCELEROMETER },
        CsvFile { name: "Gravity.csv", text: LOGGER_GRAVITY },
        CsvFile { name: "Gyroscope.csv", text: LOGGER_GYROSCOPE },
        CsvFile { name: "Metadata.csv", text: LOGGER_METADATA },
    ];
    let samples = parse_recording_files(&files, &CsvOptions::default()).unwrap();
    close(samples.acceleration[0], [-0.1, -0.2, 9.3]);
    close(samples.acceleration[1], [-0.11, -0.2, -2.21]);
    close(samples.rotation_rate[0], [1.0, 2.0, 3.0]);
    // Told by hand instead of by Metadata.csv: signs as said, units as the app has them.
    for convention in [Convention::CoreMotion, Convention::IosBrowser] {
        let options = CsvOptions { convention: Some(convention), ..CsvOptions::default() };
        assert!(same(&parse_recording_files(&files[..3], &options).unwrap(), &samples));
    }
    let standardised = LOGGER_METADATA.replace(",false,", ",true,");
    let mut files = files;
    files[3].text = &standardised;
    let samples = parse_recording_files(&files, &CsvOptions::default()).unwrap();
    close(samples.acceleration[0], [0.1, 0.2, -9.3]);
}

fn same(a: &Samples, b: &Samples) -> bool {
    let bits = |vectors: &[[f32; 3]]| -> Vec<u32> {
        vectors.iter().flatten().map(|value| value.to_bits()).collect()
    };
    a.seconds == b.seconds
        && bits(&a.acceleration) == bits(&b.acceleration)
        && bits(&a.rotation_rate) == bits(&b.rotation_rate)
}

#[test]
fn sensor_logger_sparse_table() {
    let samples = parse(
        "time,seconds_elapsed,accelerometer_z,accelerometer_y,accelerometer_x,gravity_x,gravity_y,gravity_z,\
         gyroscope_z,gyroscope_y,gyroscope_x,accelerometerUncalibrated_x,annotation\n\
         1,0.00,1,0,0,0,0,9.8,,,,,\n\
         2,0.01,,,,,,,3,2,1,,\n\
         3,0.02,12,0,0,,,,,,,,stairs, then a door\n\
         4,0.04,12,0,0,0,0,9.7,,,,,\n",
    );
    assert_eq!(samples.seconds, [0.0, 0.01, 0.02, 0.04]);
    close(samples.acceleration[0], [0.0, 0.0, 10.8]);
    assert!(samples.acceleration[1][2].is_nan());
    close(samples.acceleration[2], [0.0, 0.0, 21.75]);
    close(samples.rotation_rate[1], [1.0, 2.0, 3.0]);
    assert!(samples.rotation_rate[0][0].is_nan());
}

#[test]
fn other_tables_by_their_header() {
    let headers = [
        "timestamp_ms,acc_x,acc_y,acc_z,gyro_x,gyro_y,gyro_z",
        "Time (ms),ax,ay,az,gx,gy,gz",
        "t [ms],accX (m/s²),accY (m/s²),accZ (m/s²),gyrX [rad/s],gyrY [rad/s],gyrZ [rad/s]",
        "ms,accelerationIncludingGravity.x,accelerationIncludingGravity.y,accelerationIncludingGravity.z,rotationRate.x,rotationRate.y,rotationRate.z",
        "elapsed (ms),x-axis (m/s^2),y-axis (m/s^2),z-axis (m/s^2),rotation_rate_x,rotation_rate_y,rotation_rate_z",
        "timestamp,x,y,z,wx,wy,wz",
    ];
    for header in headers {
        let samples = parse(&format!(
            "{header}\n1000,0.5,1,9.81,1,2,3\n1020,0.5,1,9.81,1,2,3\n\n1040,0.5,1,9.81,1,2,3\n"
        ));
        assert_eq!(samples.len(), 3, "{header}");
        assert!((samples.seconds[2] - 1.04).abs() < 1e-9, "{header}: {:?}", samples.seconds);
        assert_eq!(samples.acceleration[1], [0.5, 1.0, 9.81], "{header}");
        assert_eq!(samples.rotation_rate[1], [1.0, 2.0, 3.0], "{header}");
    }
}

#[test]
fn units_come_from_the_header_then_the_size_of_gravity() {
    let by_header = parse(
        "time (s),acc_x (g),acc_y (g),acc_z (g),gyro_x (deg/s),gyro_y (deg/s),gyro_z (deg/s)\n0,0,0,1,0,0,180\n",
    );
    close(by_header.acceleration[0], [0.0, 0.0, 9.80665]);
    close(by_header.rotation_rate[0], [0.0, 0.0, std::f32::consts::PI]);
    let by_suffix =
        parse("time_s,acc_x_g,acc_y_g,acc_z_g,gyro_x_dps,gyro_y_dps,gyro_z_dps\n0,0,0,-1,0,0,180\n");
    close(by_suffix.acceleration[0], [0.0, 0.0, -9.80665]);
    close(by_suffix.rotation_rate[0], [0.0, 0.0, std::f32::consts::PI]);
    let by_size = parse("time,acc_x,acc_y,acc_z\n0,0,0,0.98\n0.02,0,0,1.02\n0.04,0,0,1\n");
    close(by_size.acceleration[2], [0.0, 0.0, 9.80665]);
    let parts = parse(
        "timestamp,userAcceleration.x,userAcceleration.y,userAcceleration.z,gravity.x,gravity.y,gravity.z\n\
         0,0.1,0,0,0,0,-1\n0.02,0.1,0,0,0,0,-1\n",
    );
    close(parts.acceleration[0], [0.980665, 0.0, -9.80665]);
    let options = CsvOptions {
        time_unit: Some(TimeUnit::Milliseconds),
        acceleration_unit: Some(AccelerationUnit::StandardGravity),
        rotation_unit: Some(RotationUnit::DegreesPerSecond),
        convention: Some(Convention::CoreMotion),
    };
    let told = parse_recording("time,ax,ay,az,gx,gy,gz\n100,0,0,-1,90,0,0\n", &options).unwrap();
    assert!((told.seconds[0] - 0.1).abs() < 1e-12);
    close(told.acceleration[0], [0.0, 0.0, 9.80665]);
    close(told.rotation_rate[0], [std::f32::consts::FRAC_PI_2, 0.0, 0.0]);
}

#[test]
fn the_unit_of_time_comes_from_the_header_then_the_step() {
    for (header, step, origin) in [
        ("time", 0.02, 0.0),
        ("time", 20.0, 1.7e12),
        ("time", 20_000.0, 1.7e15),
        ("time", 20_000_000.0, 1.7e18),
        ("time (us)", 20_000.0, 0.0),
        ("timestamp_ns", 20_000_000.0, 0.0),
        ("time_ms", 20.0, 0.0),
    ] {
        let mut text = format!("{header},acc_x,acc_y,acc_z\n");
        for row in 0..200 {
            writeln!(text, "{},0,0,9.81", origin + step * f64::from(row)).unwrap();
        }
        let samples = parse(&text);
        let lasts = samples.seconds[199] - samples.seconds[0];
        assert!((lasts - 3.98).abs() < 1e-3, "{header} {step}: {lasts}");
        assert_eq!(windows(&samples, &WindowConfig::default()).unwrap().len(), 2);
    }
}

#[test]
fn empty_cells_are_missing_readings() {
    let samples = parse(
        "time,acc_x,acc_y,acc_z,gyro_x,gyro_y,gyro_z\n0,,NaN,null,1,2,3\n0.02,0,0,9.81,,,\n0.04,0,0,9.81,,,\n",
    );
    assert!(samples.acceleration[0].iter().all(|value| value.is_nan()));
    assert!(samples.rotation_rate[1].iter().all(|value| value.is_nan()));
}

#[test]
fn what_is_not_a_recording_is_refused_with_a_reason() {
    refused("", ErrorKind::InvalidInput, "the file is empty");
    refused("\u{feff} \n\n", ErrorKind::InvalidInput, "the file is empty");
    refused("time,acc_x,acc_y,acc_z\n", ErrorKind::TooFewSamples, "no rows");
    refused("0.1,0.2,0.3,9.8\n0.2,0.2,0.3,9.8\n", ErrorKind::InvalidInput, "the first line holds numbers");
    refused(
        "acc_x,acc_y,acc_z\n0,0,9.8\n",
        ErrorKind::InvalidInput,
        "none of the columns `acc_x`, `acc_y`, `acc_z` is the time",
    );
    refused("time,acc_x,acc_y\n0,0,9.8\n", ErrorKind::MissingChannel, "`acc_y`");
    refused("time,gyro_x,gyro_y,gyro_z\n0,0,0,0\n", ErrorKind::MissingChannel, "no acceleration");
    refused("time,temperature\n0,20\n", ErrorKind::MissingChannel, "`temperature`");
    refused(
        "time,acc_x,acc_y,acc_z\n0,0,0,9.8\n0.1,0,oops,9.8\n",
        ErrorKind::InvalidInput,
        "line 3, column `acc_y`: `oops`",
    );
    refused(
        "time,acc_x,acc_y,acc_z\n0,0,0,9.8\n0.1,0\n",
        ErrorKind::InvalidInput,
        "line 3 ends before column `acc_y`",
    );
    refused("time,acc_x,acc_y,acc_z\n,0,0,9.8\n", ErrorKind::InvalidInput, "line 2 has no time");
    refused(
        "time,acc_x,acc_y,acc_z\n2024-01-01,0,0,9.8\n",
        ErrorKind::InvalidInput,
        "`2024-01-01` is not a number",
    );
    let linear = "\"Time (s)\",\"Linear Acceleration x (m/s^2)\",\"Linear Acceleration y (m/s^2)\",\"Linear Acceleration z (m/s^2)\"\n0,0,0,1\n";
    refused(linear, ErrorKind::MissingChannel, "without gravity");
    let files = [CsvFile { name: "Accelerometer.csv", text: LOGGER_ACCELEROMETER }];
    let error = parse_recording_files(&files, &CsvOptions::default()).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::MissingChannel);
    assert!(error.hint().contains("Gravity.csv"), "{error}");
    assert_eq!(
        parse_recording_files(&[], &CsvOptions::default()).unwrap_err().kind(),
        ErrorKind::MissingChannel
    );
}

proptest::proptest! {
    #[test]
    fn no_text_makes_it_panic(text in "(time|acc_x|acc_y|acc_z|gyro_x|[-0-9.eE,;\t\n\"# ]|[a-z]){0,120}") {
        let _ = parse_recording(&text, &CsvOptions::default());
        let _ = parse_recording(&format!("time,acc_x,acc_y,acc_z\n{text}"), &CsvOptions::default());
    }
}
