import { runBootstrap } from './bootstrap/program.js';
import { createBootstrapContext } from './bootstrap/system-context.js';
import { exitCodes } from './exit-codes.js';

// Nobody reads any more (`| head`): no reason to leave a host half set up.
process.stdout.on('error', () => undefined);
process.stderr.on('error', () => undefined);
const exitCode = await runBootstrap(createBootstrapContext(), process.argv.slice(2)).catch(() => exitCodes.software);
process.stdout.write('', () => process.stderr.write('', () => process.exit(exitCode)));
