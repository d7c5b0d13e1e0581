"""Says which default files oslo.config itself finds for cinder-volume, in its order."""
import glob
import json
import os

from oslo_config import cfg

names = {'project': 'cinder', 'prog': 'cinder-volume'}
folders = cfg.find_config_dirs(**names)
print(json.dumps(cfg.find_config_files(**names) + [path for each in folders for path in sorted(glob.glob(os.path.join(each, '*.conf')))]))
