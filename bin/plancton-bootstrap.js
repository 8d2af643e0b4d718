#!/usr/bin/env node
import '../dist/cli/plancton-bootstrap.js';
