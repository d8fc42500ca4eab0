//! ffmpeg's codecs beside ours, octet by octet.

use crate::bench::{Folder, run};
use demarc::media::codec::{Codec, Decoder, Encoder};
use demarc::media::wav::{Rate, Wave};
use std::path::Path;
use std::process::Command;

/// Four seconds: a tone that rises, louder and softer, then with noise over it.
fn speech(rate: Rate) -> Wave {
    let hertz = f64::from(rate.hertz());
    let mut state = 1_u32;
    let mut noise = || {
        state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
        f64::from(state >> 16) / 32768.0 - 1.0
    };
    let sample = |at: u32| {
        let time = f64::from(at) / hertz;
        let phase = std::f64::consts::TAU * (200.0 + 700.0 * time) * time;
        let loud = if time < 2.0 { 300.0 } else { 9000.0 };
        (9000.0 * phase.sin() * (0.3 + 0.7 * (3.0 * time).sin().abs()) + loud * noise()) as i16
    };
    Wave {
        rate,
        samples: (0..4 * rate.hertz()).map(sample).collect(),
    }
}

fn ffmpeg(from: &Path, form: &[&str], to: &Path) {
    let mut command = Command::new("ffmpeg");
    command.args(["-v", "error", "-y"]);
    if from.extension().is_some_and(|end| end != "wav") {
        command.args(form);
    }
    command.arg("-i").arg(from);
    if to.extension().is_some_and(|end| end != "wav") {
        command.args(form);
    } else {
        // As it comes, without a note of who wrote it.
        command.args(["-fflags", "+bitexact", "-c:a", "pcm_s16le"]);
    }
    run(command.arg(to));
}

fn encoded(codec: Codec, samples: &[i16]) -> Vec<u8> {
    let mut out = Vec::new();
    Encoder::new(codec).encode(samples, &mut out);
    out
}

fn decoded(codec: Codec, payload: &[u8]) -> Vec<i16> {
    let mut out = Vec::new();
    Decoder::new(codec).decode(payload, &mut out);
    out
}

fn wave(path: &Path) -> Wave {
    Wave::parse(&std::fs::read(path).expect("a file")).expect("a wave")
}

#[test]
fn g722_is_ffmpegs_octet_by_octet_and_sample_by_sample() {
    let folder = Folder::new("g722");
    let speech = speech(Rate::Wide);
    let source = folder.path().join("speech.wav");
    std::fs::write(&source, speech.print()).expect("written");
    let (there, back) = (
        folder.path().join("there.g722"),
        folder.path().join("back.wav"),
    );
    ffmpeg(&source, &["-f", "g722"], &there);
    ffmpeg(&there, &["-f", "g722"], &back);
    let theirs = std::fs::read(&there).expect("a file");
    assert_eq!(theirs.len(), 32_000);
    assert!(
        encoded(Codec::G722, &speech.samples) == theirs,
        "octets differ"
    );
    let theirs_back = wave(&back);
    assert_eq!(theirs_back.rate, Rate::Wide);
    assert!(
        decoded(Codec::G722, &theirs) == theirs_back.samples,
        "samples differ"
    );
}

#[test]
fn every_octet_of_g711_means_to_ffmpeg_what_it_means_to_us() {
    for (codec, form) in [(Codec::Pcma, "alaw"), (Codec::Pcmu, "mulaw")] {
        let folder = Folder::new(form);
        let all: Vec<u8> = (0..=255).collect();
        let (there, back) = (
            folder.path().join("all.raw"),
            folder.path().join("back.wav"),
        );
        std::fs::write(&there, &all).expect("written");
        ffmpeg(&there, &["-f", form, "-ar", "8000", "-ac", "1"], &back);
        assert_eq!(decoded(codec, &all), wave(&back).samples, "{form}");
    }
}

#[test]
fn speech_in_g711_sounds_to_ffmpeg_as_to_us_and_its_own_to_us() {
    for (codec, form) in [(Codec::Pcma, "alaw"), (Codec::Pcmu, "mulaw")] {
        let folder = Folder::new(form);
        let speech = speech(Rate::Narrow);
        let (source, there) = (
            folder.path().join("speech.wav"),
            folder.path().join("there.raw"),
        );
        std::fs::write(&source, speech.print()).expect("written");
        ffmpeg(&source, &["-f", form, "-ar", "8000", "-ac", "1"], &there);
        let theirs = std::fs::read(&there).expect("a file");
        // They round where G.191 cuts off: one level apart at the most.
        let ours = encoded(codec, &speech.samples);
        assert_eq!(ours.len(), theirs.len());
        let (one, other) = (decoded(codec, &ours), decoded(codec, &theirs));
        for ((one, other), was) in one.iter().zip(&other).zip(&speech.samples) {
            let most = was.unsigned_abs() / 16 + 64;
            assert!(one.abs_diff(*other) <= most, "{form} {was}: {one}, {other}");
        }
    }
}
