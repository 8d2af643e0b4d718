#!/usr/bin/env node
import '../dist/cli/planctonctl.js';
