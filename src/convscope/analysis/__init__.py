"""What a trained network looks at: occlusion, filter ablation, filter identification."""
