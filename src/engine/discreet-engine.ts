import { EngineError, type ContainerEngine } from './container-engine.js';

/** Takes out of a text what is not for everybody who reads it. */
export type Hide = (text: string) => string;

function censored(error: unknown, hide: Hide): unknown {
  if (!(error instanceof EngineError)) return error;
  const message = hide(error.message);
  const { kind, pull, start } = error;
  return message === error.message ? error : new EngineError(kind, message, { cause: error, pull, start });
}

/** An engine whose failures say nothing that `hide` takes out: they may repeat what it was given, and the address of a proxy with its password. */
export function discreet(engine: ContainerEngine, hide: Hide): ContainerEngine {
  const soften = async <T>(answer: Promise<T>): Promise<T> => {
    try {
      return await answer;
    } catch (error) {
      throw censored(error, hide);
    }
  };
  return {
    info: () => soften(engine.info()),
    listPilots: (ownership) => soften(engine.listPilots(ownership)),
    createPilot: (spec, cgroupParent) => soften(engine.createPilot(spec, cgroupParent)),
    settingsOf: (id, pilot) => soften(engine.settingsOf(id, pilot)),
    startPilot: (id) => soften(engine.startPilot(id)),
    stopPilot: (id, stopSeconds) => soften(engine.stopPilot(id, stopSeconds)),
    pausePilot: (id) => soften(engine.pausePilot(id)),
    unpausePilot: (id) => soften(engine.unpausePilot(id)),
    removePilot: (id) => soften(engine.removePilot(id)),
    pilotEnd: (id) => soften(engine.pilotEnd(id)),
    logTail: (id, tail) => soften(engine.logTail(id, tail)),
    followLog: (id, listener) => soften(engine.followLog(id, listener)),
    followEnds: (listener) => soften(engine.followEnds(listener)),
    pilotCpuNs: (id) => soften(engine.pilotCpuNs(id)),
    findImage: (reference) => soften(engine.findImage(reference)),
    pullImage: (reference, onProgress, giveUp) => soften(engine.pullImage(reference, onProgress, giveUp)),
    listImages: (instance) => soften(engine.listImages(instance)),
    markImage: (reference, instance, before) => soften(engine.markImage(reference, instance, before)),
    dropImage: (id, instance) => soften(engine.dropImage(id, instance)),
  };
}
