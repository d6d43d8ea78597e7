"""Messages of the API to what the domain speaks, and back."""

from bankai.common.v1 import model_pb2
from bankai.intent.v1 import intent_pb2 as pb
from services.intent.analysis import Analysis
from services.intent.answers import (
    Accepted,
    CallConfig,
    ClientMessage,
    Reconnect,
    Rejected,
    SegmentAnswer,
    ServerMessage,
)
from services.intent.call import CallView
from services.intent.classifier import FULL_MODEL
from services.intent.labels import Labels
from services.intent.segment import Segment, Speaker
from services.intent.summary import Summary

DEFAULT_INTENTS = 5
"""Intents returned where the client names no number."""

_SPEAKERS: dict[int, Speaker] = {speaker.value: speaker for speaker in Speaker}


def client_message(message: pb.StreamCallRequest) -> ClientMessage:
    """What the client sent; a message with neither config nor segment is a segment without anything."""
    if message.WhichOneof("message") != "config":
        return _segment(message.segment)
    config = message.config
    return CallConfig(
        call_id=config.call_id,
        channel=config.channel,
        language=config.language,
        skip_partials=config.options.skip_partials,
        max_intents=max_intents(config.options.max_intents),
        resume=config.HasField("resume"),
        resume_after=config.resume.last_segment_id,
    )


def max_intents(asked: int) -> int:
    """How many intents to return."""
    return asked or DEFAULT_INTENTS


def server_message(message: ServerMessage) -> pb.StreamCallResponse:
    """What the client gets."""
    match message:
        case Accepted():
            return pb.StreamCallResponse(
                accepted=pb.CallAccepted(
                    call_id=message.call_id,
                    resumed=message.resumed,
                    last_segment_id=message.last_segment_id,
                    call=_call_state(message.call),
                )
            )
        case SegmentAnswer():
            return pb.StreamCallResponse(analysis=_segment_analysis(message))
        case Rejected():
            return pb.StreamCallResponse(
                rejected=pb.SegmentRejected(
                    segment_id=message.segment_id, reason=message.reason, message=message.message
                )
            )
        case Reconnect():
            return pb.StreamCallResponse(
                reconnect=pb.Reconnect(last_segment_id=message.last_segment_id, retry_delay_ms=message.retry_delay_ms)
            )
        case Summary():
            return pb.StreamCallResponse(summary=_summary(message))


def analysis_message(analysis: Analysis) -> pb.UtteranceAnalysis:
    """What an utterance says."""
    emotion = analysis.emotion
    return pb.UtteranceAnalysis(
        intents=[
            pb.IntentScore(intent_id=score.intent_id, probability=score.probability, holds=score.holds)
            for score in analysis.intents
        ],
        out_of_scope_probability=analysis.out_of_scope_probability,
        emotion=pb.EmotionEstimate(
            emotion_id=emotion.emotion_id,
            probability=emotion.probability,
            intensity=emotion.intensity,
            scores=[
                pb.EmotionScore(emotion_id=emotion_id, probability=probability)
                for emotion_id, probability in emotion.scores.items()
            ],
        ),
        model=model_message(analysis.model, analysis.version),
    )


def label_set(labels: Labels, version: str) -> pb.ListIntentsResponse:
    """Everything that the serving model can tell apart."""
    return pb.ListIntentsResponse(
        intents=[
            pb.Intent(intent_id=label.id, name_zh=label.zh, name_en=label.en, covers=label.covers)
            for label in labels.intents
        ],
        emotions=[pb.Emotion(emotion_id=label.id, name_zh=label.zh) for label in labels.emotions],
        model=model_message(FULL_MODEL, version),
    )


def model_message(name: str, version: str) -> model_pb2.ModelVersion:
    """Which model said so."""
    return model_pb2.ModelVersion(name=name, version=version)


def _segment(segment: pb.Segment) -> Segment:
    return Segment(
        segment_id=segment.segment_id,
        # A speaker that only a newer client may name counts as the caller, like one that is not said.
        speaker=_SPEAKERS.get(segment.speaker, Speaker.UNSPECIFIED),
        text=segment.text,
        is_final=segment.is_final,
        start_ms=segment.start_ms,
        end_ms=segment.end_ms,
    )


def _segment_analysis(answer: SegmentAnswer) -> pb.SegmentAnalysis:
    return pb.SegmentAnalysis(
        segment_id=answer.segment_id,
        speaker=pb.Speaker.ValueType(answer.speaker),
        is_final=answer.is_final,
        analysis=analysis_message(answer.analysis) if answer.analysis else None,
        call=_call_state(answer.call),
    )


def _call_state(call: CallView) -> pb.CallState:
    return pb.CallState(
        main_intent_id=call.main_intent_id,
        main_intent_probability=call.main_intent_probability,
        emotion_trend=pb.EmotionTrend.ValueType(call.trend),
        escalation=pb.EscalationAdvice(
            advised=call.advised,
            reasons=[pb.EscalationReason.ValueType(reason) for reason in call.reasons],
            segment_id=call.escalation_segment_id,
        ),
    )


def _summary(summary: Summary) -> pb.CallSummary:
    return pb.CallSummary(
        call_id=summary.call_id,
        main_intent_id=summary.main_intent_id,
        intents=[
            pb.CallIntent(
                intent_id=intent_id,
                probability=mention.probability,
                first_segment_id=mention.first_segment_id,
                mentions=mention.count,
            )
            for intent_id, mention in summary.intents.items()
        ],
        emotional_course=[
            pb.EmotionPoint(
                segment_id=point.segment_id,
                at_ms=point.at_ms,
                emotion_id=point.emotion_id,
                intensity=point.intensity,
            )
            for point in summary.course
        ],
        escalations=[
            pb.EscalationPoint(
                segment_id=point.segment_id, at_ms=point.at_ms, reason=pb.EscalationReason.ValueType(point.reason)
            )
            for point in summary.escalations
        ],
        talk_share=pb.TalkShare(caller=summary.caller_share, agent=summary.agent_share),
        open_intent_ids=summary.open_intent_ids,
        segment_count=summary.segments,
        model=model_message(FULL_MODEL, summary.version),
    )
