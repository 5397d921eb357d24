import { test } from 'tap';
import { Case } from '../../support/recorded/case.js';
import { recordings, sameAnswers } from '../../support/recorded/differences.js';
import { play, type Answer, type Steps } from '../../support/recorded/steps.js';
import { recordedStore } from '../../support/recorded/store.js';

const { runs } = recordings<Readonly<{ runs: Steps[] }>>('random');

test('random runs of appends, reads, deletes and kills are answered as recorded', async (t) => {
  const store = await recordedStore(t);
  const answers: Answer[] = [];
  for (const run of runs) await play(new Case(store, run.name.replaceAll(' ', '-')), run, answers);
  sameAnswers(t, answers, 1640);
});
